//! What a file calls the codes of the reference data.

use std::collections::BTreeMap;

use sea_orm::ConnectionTrait;

use crate::store::Failure;
use crate::store::reference::list::List;
use crate::store::reference::named::{Chain, Programme};
use crate::store::reference::region::Region;
use crate::store::reference::sector::Sector;
use crate::store::reference::unit::Unit;
use crate::store::reference::{all_names, labels};

/// What people call the entries of the reference data, each by a name that no other of its kind has.
pub(super) struct Labels {
    pub(super) regions: Labelled,
    pub(super) units: Labelled,
    pub(super) programmes: Labelled,
    pub(super) sectors: Labelled,
    pub(super) chains: Labelled,
    pub(super) lists: Labelled,
    /// 统一社会信用代码 of the units that have one.
    pub(super) unit_usccs: BTreeMap<String, String>,
}

impl Labels {
    pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Self, Failure> {
        let mut usccs = all_names::<Unit>(db, |unit| unit.uscc.unwrap_or_default()).await?;
        usccs.retain(|_, uscc| !uscc.is_empty());
        Ok(Self {
            regions: Labelled::of(all_names::<Region>(db, |region| region.name).await?),
            units: Labelled::of(all_names::<Unit>(db, |unit| unit.name).await?),
            programmes: Labelled::of(all_names::<Programme>(db, |named| named.name).await?),
            sectors: Labelled::of(all_names::<Sector>(db, |sector| sector.name).await?),
            chains: Labelled::of(all_names::<Chain>(db, |named| named.name).await?),
            lists: Labelled::of(all_names::<List>(db, |list| list.name).await?),
            unit_usccs: usccs,
        })
    }
}

/// Labels by code.
pub(super) struct Labelled(BTreeMap<String, String>);

impl Labelled {
    fn of(names: BTreeMap<String, String>) -> Self {
        Self(labels(names))
    }

    pub(super) fn label<'a>(&'a self, code: &'a str) -> &'a str {
        self.0.get(code).map_or(code, String::as_str)
    }
}
