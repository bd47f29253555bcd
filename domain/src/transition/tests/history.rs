//! Whole lives of projects: random moves and corrections, with the history kept as the store keeps it.

use proptest::prelude::*;

use super::*;

/// A project with its history: rows are added, never changed.
#[derive(Clone, Debug)]
struct Ledger {
    entered_on: Option<NaiveDate>,
    start: Standing,
    rows: Vec<Transition>,
    project: Dossier,
}

fn row_id(row: usize) -> TransitionId {
    TransitionId(Uuid::from_u128(u128::try_from(row).unwrap()))
}

impl Ledger {
    /// A project that was registered on a day, or taken over on none.
    fn new(start: Standing, entered_on: Option<NaiveDate>) -> Self {
        let project = Dossier {
            standing: start.clone(),
            last_moved_on: entered_on,
            ..dossier(Stage::Planning, Condition::Active)
        };
        Self {
            entered_on,
            start,
            rows: Vec::new(),
            project,
        }
    }

    /// The moves that nobody has taken back.
    fn standing_moves(&self) -> Vec<(TransitionId, &Transition)> {
        let taken_back: Vec<_> = self.rows.iter().filter_map(|row| row.corrects).collect();
        let numbered = self.rows.iter().enumerate();
        numbered
            .map(|(n, row)| (row_id(n), row))
            .filter(|(id, row)| row.kind != Move::Corrected && !taken_back.contains(id))
            .collect()
    }

    fn store(&mut self, row: Transition) {
        self.project.standing = row.after.clone();
        self.rows.push(row);
        let moves = self.standing_moves();
        let last = moves.last().map(|&(id, row)| (id, row.clone()));
        self.project.last_moved_on = match &last {
            Some((_, row)) => row.occurred_on,
            None => self.entered_on,
        };
        self.project.latest = last.map(|(id, row)| StandingMove {
            id,
            kind: row.kind,
            before: row.before,
        });
    }

    fn ask(&mut self, request: &MoveRequest, mandate: Mandate) -> Result<(), TestCaseError> {
        let Ok(row) = decide(&self.project, request, mandate, today()) else {
            return Ok(());
        };
        prop_assert_eq!(&row.before, &self.project.standing);
        let taken_back = self
            .standing_moves()
            .last()
            .map(|&(id, row)| (id, row.clone()));
        if row.kind == Move::Corrected {
            let (id, undone) = taken_back.unwrap();
            prop_assert_eq!(row.corrects, Some(id));
            prop_assert_eq!(&row.after, &undone.before);
        } else {
            prop_assert_eq!(row.corrects, None);
            prop_assert!(is_one_step(&row.before, &row.after), "{:?}", row);
        }
        self.store(row);
        self.check()
    }

    /// What holds of a project at any time.
    fn check(&self) -> Result<(), TestCaseError> {
        let now = &self.project.standing;
        let moves = self.standing_moves();
        prop_assert!(now.stage != Stage::Completion || now.condition == Condition::Active);
        prop_assert!(now.started_on.is_none() || now.stage >= Stage::Construction);
        prop_assert!(now.completed_on.is_none() || now.stage == Stage::Completion);
        if now.basis == StageBasis::Gate {
            prop_assert!(now.stage_since.is_some());
            prop_assert_eq!(now.completed_on.is_some(), now.stage == Stage::Completion);
        }
        // The moves that stand, and they alone, lead from the start to where the project stands.
        let mut place = &self.start;
        for (_, row) in &moves {
            prop_assert_eq!(&row.before, place);
            place = &row.after;
        }
        prop_assert_eq!(now, place);
        // Their days never go back, nor behind what was known at the start.
        let at_start = [
            self.entered_on,
            self.start.stage_since,
            self.start.started_on,
        ];
        let known = at_start.into_iter().flatten().max();
        let days: Vec<_> = known
            .into_iter()
            .chain(moves.iter().filter_map(|(_, row)| row.occurred_on))
            .collect();
        prop_assert!(days.is_sorted(), "{:?}", days);
        prop_assert!(days.iter().all(|&on| on <= today()));
        prop_assert!(now.completed_on >= now.started_on || now.completed_on.is_none());
        Ok(())
    }
}

fn is_one_step(before: &Standing, after: &Standing) -> bool {
    let place = |stage| Stage::ALL.iter().position(|&s| s == stage).unwrap();
    let is_stay = before.stage == after.stage && before.condition != after.condition;
    let is_forward = place(after.stage) == place(before.stage) + 1
        && (before.condition, after.condition) == (Condition::Active, Condition::Active);
    let is_return = before.condition == Condition::Withdrawn
        && (after.stage, after.condition) == (Stage::Planning, Condition::Active);
    is_stay || is_forward || is_return
}

/// Where a life begins: registered, or taken over in any stage, with or without dates.
fn any_start() -> impl Strategy<Value = Ledger> {
    let taken_over =
        (prop::sample::select(Stage::ALL), any::<bool>()).prop_map(|(stage, dated)| {
            let known = standing(stage, Condition::Active);
            let start = Standing {
                basis: StageBasis::OpeningBalance,
                stage_since: known.stage_since.filter(|_| dated),
                started_on: known.started_on.filter(|_| dated),
                completed_on: known.completed_on.filter(|_| dated),
                ..known
            };
            Ledger::new(start, None)
        });
    let registered = Ledger::new(standing(Stage::Planning, Condition::Active), Some(since()));
    prop_oneof![2 => Just(registered), 1 => taken_over]
}

/// A move, mostly well asked for; the day is so many days after the last one known, or before it.
fn any_action() -> impl Strategy<Value = (Move, i64, bool, bool)> {
    let to = prop::sample::select(Move::ALL);
    (
        to,
        -2_i64..8,
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.9),
    )
}

proptest! {
    #[test]
    fn no_life_leaves_the_table_and_each_can_be_taken_back_to_its_start(
        mut ledger in any_start(),
        actions in prop::collection::vec(any_action(), 0..40),
    ) {
        for (to, days, is_complete, is_manager) in actions {
            let last = ledger.project.last_moved_on.unwrap_or_else(since);
            let mut asked = request(to);
            asked.occurred_on = asked.occurred_on.map(|_| last + chrono::Duration::days(days));
            if !is_complete {
                (asked.start_evidence, asked.note) = (None, None);
            }
            let mandate = if is_manager { Mandate::Manager } else { Mandate::Officer };
            ledger.ask(&asked, mandate)?;
        }
        let standing = ledger.standing_moves().len();
        let all = ledger.rows.len();
        for left in (0..standing).rev() {
            ledger.ask(&request(Move::Corrected), Mandate::Manager)?;
            prop_assert_eq!(ledger.standing_moves().len(), left);
        }
        prop_assert_eq!(ledger.rows.len(), all + standing, "nothing is erased");
        prop_assert_eq!(&ledger.project.standing, &ledger.start);
        prop_assert_eq!(ledger.project.last_moved_on, ledger.entered_on);
        let refused = manage(&ledger.project, &request(Move::Corrected));
        prop_assert_eq!(refused, Err(Refusal::NothingToCorrect));
    }
}

/// One life, to read: started, taken back, started again on another day, taken back twice.
#[test]
fn corrections_go_back_one_standing_move_at_a_time() {
    let mut ledger = Ledger::new(standing(Stage::Planning, Condition::Active), Some(since()));
    let mut ask = |to, on: Option<NaiveDate>| {
        let asked = MoveRequest {
            occurred_on: on,
            ..request(to)
        };
        ledger.ask(&asked, Mandate::Manager).unwrap();
        let Dossier {
            standing,
            last_moved_on,
            ..
        } = &ledger.project;
        (
            standing.stage,
            standing.condition,
            standing.started_on,
            *last_moved_on,
        )
    };
    let (may, june) = (day(5, 1), day(6, 1));
    let active = Condition::Active;
    let attracted = (Stage::Attraction, active, None, Some(may));
    assert_eq!(ask(Move::Attraction, Some(may)), attracted);
    let started = |on| (Stage::Construction, active, Some(on), Some(on));
    assert_eq!(ask(Move::Construction, Some(june)), started(june));
    assert_eq!(ask(Move::Corrected, None), attracted);
    assert_eq!(ask(Move::Construction, Some(may)), started(may));
    assert_eq!(ask(Move::Corrected, None), attracted);
    let registered = (Stage::Planning, active, None, Some(since()));
    assert_eq!(ask(Move::Corrected, None), registered);
    assert_eq!(ask(Move::Corrected, None), registered);
    assert_eq!(ledger.rows.len(), 6);
}
