//! What a link of the chain is made of.

use sea_orm::prelude::Json;

use crate::audit::{Algorithm, Hash};
use crate::entity::event::Model;

/// Every link begins with this; another form of it will have another number.
const DOMAIN: &[u8] = b"taizhang audit entry 1\0";

/// The hash of an event that follows on `previous`.
///
/// Each field is there with its length, or with a mark that it is absent, so that no two events have one form. Times
/// and JSON are taken as they were read, not as they are written down: both databases give back the same. (The
/// members of an object are sorted; there are no fractions in what is recorded.)
pub(super) fn link(algorithm: Algorithm, previous: &Hash, seq: i64, event: Model) -> Hash {
    let Model {
        id,
        project_id,
        subject,
        kind,
        version,
        before,
        after,
        actor_id,
        actor_name,
        request_id,
        recorded_at,
        source,
        result,
    } = event;
    let mut form = Form(DOMAIN.to_vec());
    form.0.extend(previous);
    form.0.extend(seq.to_be_bytes());
    form.field(Some(id.as_bytes()));
    form.field(project_id.as_ref().map(|id| &id.as_bytes()[..]));
    form.field(Some(subject.as_bytes()));
    form.field(Some(kind.as_bytes()));
    form.field(version.map(i64::to_be_bytes).as_ref().map(|v| &v[..]));
    form.json(before);
    form.json(after);
    form.field(actor_id.as_ref().map(|id| &id.as_bytes()[..]));
    form.field(Some(actor_name.as_bytes()));
    form.field(request_id.as_deref().map(str::as_bytes));
    form.field(Some(&recorded_at.timestamp().to_be_bytes()));
    form.field(Some(&recorded_at.timestamp_subsec_nanos().to_be_bytes()));
    form.field(source.as_deref().map(str::as_bytes));
    form.field(Some(result.as_bytes()));
    algorithm.hash(&form.0)
}

struct Form(Vec<u8>);

impl Form {
    fn field(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            None => self.0.push(0),
            Some(bytes) => {
                self.0.push(1);
                let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                self.0.extend(length.to_be_bytes());
                self.0.extend(bytes);
            }
        }
    }

    fn json(&mut self, value: Option<Json>) {
        let text = value.map(|mut value| {
            value.sort_all_objects();
            value.to_string()
        });
        self.field(text.as_deref().map(str::as_bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::START;
    use chrono::DateTime;
    use serde_json::json;
    use uuid::Uuid;

    fn event() -> Model {
        Model {
            id: Uuid::from_u128(1),
            project_id: Some(Uuid::from_u128(2)),
            subject: "project/2".to_owned(),
            kind: "amended".to_owned(),
            version: Some(3),
            before: Some(json!({ "b": [1, "2"], "a": null })),
            after: Some(json!({})),
            actor_id: Some(Uuid::from_u128(4)),
            actor_name: "officer".to_owned(),
            request_id: Some("r".to_owned()),
            recorded_at: DateTime::UNIX_EPOCH,
            source: Some("127.0.0.1".to_owned()),
            result: "done".to_owned(),
        }
    }

    #[test]
    fn every_field_counts_and_so_does_the_place() {
        let made = |event: Model| link(Algorithm::Sha256, &START, 1, event);
        let changes: [fn(&mut Model); 17] = [
            |e| e.id = Uuid::from_u128(9),
            |e| e.project_id = None,
            |e| e.subject = "project/9".to_owned(),
            |e| e.kind = "moved".to_owned(),
            |e| e.version = Some(4),
            |e| e.version = None,
            |e| e.before = Some(json!({ "b": [1, 2], "a": null })),
            |e| e.before = None,
            |e| std::mem::swap(&mut e.before, &mut e.after),
            |e| e.after = Some(json!(null)),
            |e| e.actor_id = None,
            |e| e.actor_name = "manager".to_owned(),
            |e| e.request_id = None,
            |e| e.recorded_at += chrono::TimeDelta::microseconds(1),
            |e| e.source = None,
            |e| e.result = "denied".to_owned(),
            // What one field loses the next one gains.
            |e| {
                e.subject = "project/".to_owned();
                e.kind = "2amended".to_owned();
            },
        ];
        let mut seen = std::collections::BTreeSet::from([made(event())]);
        for change in changes {
            let mut other = event();
            change(&mut other);
            assert!(seen.insert(made(other.clone())), "{other:?}");
        }
        assert!(seen.insert(link(Algorithm::Sha256, &START, 2, event())));
        assert!(seen.insert(link(Algorithm::Sha256, &[1; 32], 1, event())));
        assert!(seen.insert(link(Algorithm::Sm3, &START, 1, event())));
    }

    #[test]
    fn the_order_of_members_does_not_count() {
        let text = |text: &str| {
            let mut event = event();
            event.before = Some(serde_json::from_str(text).unwrap());
            link(Algorithm::Sha256, &START, 1, event)
        };
        let one = text(r#"{"a": {"x": 1, "y": 2}, "bb": 3}"#);
        assert_eq!(one, text(r#"{"bb":3,"a":{"y":2,"x":1}}"#));
    }
}
