//! What the columns of a sender's files are for, as somebody has said once.

use std::collections::BTreeMap;

use intake::Kind;
use intake::request::Assigned;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::json;
use uuid::Uuid;

use crate::entity::import_mapping;
use crate::store::{Failure, Tx, corrupt, event};

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

/// Keeps what columns of an import were said to be for, for later files of the sender. It is recorded, for it changes how
/// those are understood.
pub(crate) async fn remember(
    tx: &Tx,
    import: Uuid,
    (sender, kind): (&str, Kind),
    corrected: &BTreeMap<String, Assigned>,
) -> Result<(), Failure> {
    let Some(account) = tx.by.account else {
        return Ok(());
    };
    let before = remembered(&tx.db, account, sender, kind).await?;
    let mut columns = before.clone();
    columns.extend(corrected.iter().map(|(name, field)| (name.clone(), *field)));
    if columns == before {
        return Ok(());
    }
    let told = |columns: &BTreeMap<String, Assigned>| json!({ "sender": sender, "kind": kind, "columns": columns });
    let entry = event::Entry::of_import(import, "mapping_remembered");
    event::record(
        tx,
        entry.changing(Some(told(&before)), Some(told(&columns))),
    )
    .await?;
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
