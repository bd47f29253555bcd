use super::*;
use proptest::prelude::*;
use uuid::Uuid;

fn id(n: u128) -> ProjectId {
    ProjectId(Uuid::from_u128(n))
}

fn member(n: u128, parent: Option<u128>, counting: FamilyCounting) -> Member {
    Member {
        id: id(n),
        parent: parent.map(id),
        counting,
        stage: Stage::Planning,
        condition: Condition::Active,
        investment: Investment::Unknown,
    }
}

fn exact(fen: i64) -> Investment {
    Investment::Exact(Money::from_fen(fen).unwrap())
}

fn set(ids: &[u128]) -> BTreeSet<ProjectId> {
    ids.iter().map(|&n| id(n)).collect()
}

/// The shape of 储气库群: a whole with four storages, one of them with a phase of its own.
fn storages() -> Families {
    use FamilyCounting::{Separate, Whole};
    Families::new([
        member(1, None, Whole),
        member(2, Some(1), Separate),
        member(3, Some(2), Whole),
        member(4, Some(1), Whole),
        member(5, Some(1), Whole),
        member(6, Some(1), Whole),
    ])
    .unwrap()
}

#[test]
fn a_whole_counts_once_and_its_parts_count_when_it_is_broken_down() {
    let families = storages();
    let all = set(&[1, 2, 3, 4, 5, 6]);
    for base in [Base::Portfolio, Base::List(&all)] {
        assert_eq!(counted_set(&families, base, Level::Project), set(&[1]));
        assert_eq!(
            counted_set(&families, base, Level::Part),
            set(&[2, 3, 4, 5, 6])
        );
    }
}

#[test]
fn a_part_on_a_list_counts_there_when_its_whole_is_not_on_it() {
    let families = storages();
    let some = set(&[4]);
    assert_eq!(
        counted_set(&families, Base::List(&some), Level::Project),
        set(&[4])
    );
}

#[test]
fn a_cover_on_a_list_brings_in_its_parts() {
    use FamilyCounting::{Parts, Whole};
    let families = Families::new([
        member(1, None, Parts),
        member(2, Some(1), Whole),
        member(3, Some(1), Parts),
        member(4, Some(3), Whole),
    ])
    .unwrap();
    let list = set(&[1]);
    assert_eq!(
        counted_set(&families, Base::List(&list), Level::Project),
        set(&[2, 4])
    );
}

#[test]
fn a_cover_shows_what_its_parts_say_together() {
    use Condition::{Active, Suspended, Withdrawn};
    use FamilyCounting::{Parts, Whole};
    use Stage::{Attraction, Completion, Construction, Planning};
    let with = |stages: [(Stage, Condition); 2]| {
        let mut members = vec![member(1, None, Parts)];
        for (n, (stage, condition)) in (2..).zip(stages) {
            members.push(Member {
                stage,
                condition,
                ..member(n, Some(1), Whole)
            });
        }
        Families::new(members).unwrap().placements()[&id(1)].shown
    };
    // 宝来利安德巴赛尔: phase one in production, phase two signed.
    assert_eq!(
        with([(Completion, Active), (Attraction, Active)]),
        (Construction, Active)
    );
    assert_eq!(
        with([(Completion, Active), (Completion, Active)]),
        (Completion, Active)
    );
    assert_eq!(
        with([(Completion, Active), (Planning, Withdrawn)]),
        (Completion, Active)
    );
    assert_eq!(
        with([(Completion, Active), (Construction, Suspended)]),
        (Construction, Suspended)
    );
    assert_eq!(
        with([(Planning, Withdrawn), (Attraction, Withdrawn)]),
        (Attraction, Withdrawn)
    );
}

#[test]
fn parts_may_not_exceed_their_whole() {
    use FamilyCounting::Whole;
    let whole = Member {
        investment: exact(100),
        ..member(1, None, Whole)
    };
    let part = |n, fen| Member {
        investment: exact(fen),
        ..member(n, Some(1), Whole)
    };
    let right = Families::new([whole.clone(), part(2, 60), part(3, 30)]).unwrap();
    assert_eq!(
        right.placements()[&id(1)].remainder,
        Some(Remainder {
            exact: Some(Money::from_fen(10).unwrap()),
            floor: None
        })
    );
    let wrong = Families::new([whole, part(2, 60), part(3, 41)]).unwrap_err();
    assert_eq!(wrong.code(), "parts_exceed_whole");
}

#[test]
fn a_project_is_never_its_own_ancestor() {
    use FamilyCounting::Whole;
    let wrong = Families::new([member(1, Some(2), Whole), member(2, Some(1), Whole)]);
    assert_eq!(wrong.unwrap_err().code(), "family_cycle");
}

fn any_family() -> impl Strategy<Value = Vec<Member>> {
    let one = (
        any::<prop::sample::Index>(),
        prop::sample::select(FamilyCounting::ALL),
        prop::option::of(0_i64..1000),
    );
    prop::collection::vec(one, 1..24).prop_map(|rows| {
        let mut members: Vec<Member> = Vec::new();
        for (n, (above, counting, fen)) in (1_u128..).zip(rows) {
            let index = above.index(members.len() + 1);
            let parent = members.get(index).map(|m| m.id);
            let investment = match (counting, fen) {
                (FamilyCounting::Parts, _) | (_, None) => Investment::Unknown,
                (_, Some(fen)) => exact(fen),
            };
            members.push(Member {
                parent,
                investment,
                ..member(n, None, counting)
            });
        }
        members
    })
}

proptest! {
    #[test]
    fn the_stored_placement_is_the_counted_set_of_the_portfolio(members in any_family()) {
        let Ok(families) = Families::new(members) else { return Ok(()) };
        let placements = families.placements();
        let marked = |test: fn(&Placement) -> bool| -> BTreeSet<_> {
            placements.iter().filter(|(_, p)| test(p)).map(|(&id, _)| id).collect()
        };
        prop_assert_eq!(
            marked(|p| p.by_project),
            counted_set(&families, Base::Portfolio, Level::Project)
        );
        prop_assert_eq!(
            marked(|p| p.by_part),
            counted_set(&families, Base::Portfolio, Level::Part)
        );
    }

    #[test]
    fn nobody_is_counted_together_with_its_whole(members in any_family()) {
        let Ok(families) = Families::new(members) else { return Ok(()) };
        let counted = counted_set(&families, Base::Portfolio, Level::Project);
        for &id in &counted {
            prop_assert!(!families.ancestors(id).any(|above| above.counting == FamilyCounting::Whole));
        }
    }

    #[test]
    fn breaking_down_neither_makes_nor_loses_money(members in any_family()) {
        let Ok(families) = Families::new(members) else { return Ok(()) };
        let placements = families.placements();
        let sum = |ids: &BTreeSet<ProjectId>| -> i128 {
            ids.iter()
                .filter_map(|&id| families.get(id)?.investment.exact())
                .map(|m| i128::from(m.fen()))
                .sum()
        };
        let by_project = counted_set(&families, Base::Portfolio, Level::Project);
        let by_part = counted_set(&families, Base::Portfolio, Level::Part);
        let not_broken_down: i128 = placements
            .values()
            .filter_map(|p| p.remainder?.exact)
            .map(|m| i128::from(m.fen()))
            .sum();
        let unknown_wholes_carry: i128 = by_project
            .iter()
            .filter_map(|&id| families.get(id))
            .filter(|m| m.counting == FamilyCounting::Whole && m.investment.exact().is_none())
            .map(|m| families.carried_by_parts(m.id).fen())
            .sum();
        prop_assert_eq!(sum(&by_project) + unknown_wholes_carry, sum(&by_part) + not_broken_down);
    }
}
