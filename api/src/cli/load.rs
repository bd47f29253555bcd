//! `taizhang load`.

use std::path::Path;

use super::{Failed, open, say, terminal};
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::store::Db;
use crate::store::catalogue::{self, Loaded};

pub(super) async fn run(config: &Config, directory: &Path) -> Result<(), Failed> {
    let data = Catalogue::read(directory)?;
    let db = open(config).await?;
    let loaded = load(&db, data).await?;
    say(&told(loaded));
    Ok(())
}

pub(super) async fn load(db: &Db, data: Catalogue) -> Result<Loaded, Failed> {
    let loaded = db
        .write(terminal(), async move |tx| catalogue::load(tx, &data).await)
        .await?;
    Ok(loaded)
}

pub(super) fn told(loaded: Loaded) -> String {
    let Loaded {
        reference,
        projects,
        present,
    } = loaded;
    format!(
        "参考数据和目标变更 {reference} 项，期初导入 {projects} 个项目，已有 {present} 个不变 / \
         {reference} entries of reference data and targets changed, {projects} projects taken over, {present} there already and left as they are"
    )
}
