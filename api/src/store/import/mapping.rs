//! What the columns of a sender's files are for, as somebody has said once.

use std::collections::BTreeMap;

use intake::Kind;
use intake::request::Assigned;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::entity::import_mapping;
use crate::store::{Failure, Tx, corrupt};

/// What columns of these headings were for in earlier files of a sender.
///
/// # Errors
/// [`Failure`] of the database.
pub(crate) async fn remembered(
    db: &impl ConnectionTrait,
    account: Uuid,
    sender: &str,
    kind: Kind,
) -> Result<BTreeMap<String, Assigned>, Failure> {
    let key = (account, sender.to_owned(), kind.code().to_owned());
    let found = import_mapping::Entity::find_by_id(key).one(db).await?;
    let columns = found.map(|row| serde_json::from_value(row.columns));
    Ok(columns
        .transpose()
        .map_err(|error| corrupt(&error.to_string()))?
        .unwrap_or_default())
}

/// Keeps what columns were said to be for, for later files of the sender.
pub(crate) async fn remember(
    tx: &Tx,
    sender: &str,
    kind: Kind,
    corrected: &BTreeMap<String, Assigned>,
) -> Result<(), Failure> {
    let Some(account) = tx.by.account.filter(|_| !corrected.is_empty()) else {
        return Ok(());
    };
    let mut columns = remembered(&tx.db, account, sender, kind).await?;
    columns.extend(corrected.iter().map(|(name, field)| (name.clone(), *field)));
    let columns = serde_json::to_value(columns).map_err(|e| corrupt(&e.to_string()))?;
    let row = import_mapping::ActiveModel {
        account_id: Set(account),
        sender: Set(sender.to_owned()),
        kind: Set(kind.code().to_owned()),
        columns: Set(columns),
        updated_at: Set(tx.now()),
    };
    let key = [
        import_mapping::Column::AccountId,
        import_mapping::Column::Sender,
        import_mapping::Column::Kind,
    ];
    import_mapping::Entity::insert(row)
        .on_conflict(
            OnConflict::columns(key)
                .update_columns([
                    import_mapping::Column::Columns,
                    import_mapping::Column::UpdatedAt,
                ])
                .to_owned(),
        )
        .exec_without_returning(&tx.db)
        .await?;
    Ok(())
}
