//! What the cascade and its guard decide.

use proptest::prelude::*;

use super::*;
use crate::canonical::JsonDigest;

fn mode() -> impl Strategy<Value = Mode> {
    prop::sample::select(Mode::ALL)
}

fn risk() -> impl Strategy<Value = Risk> {
    prop::sample::select(Risk::ALL)
}

fn stored() -> impl Strategy<Value = StoredMode> {
    prop_oneof![
        4 => mode().prop_map(StoredMode::Known),
        1 => unknown().prop_map(StoredMode::Unknown),
    ]
}

/// Values that look like modes and are none.
fn unknown() -> impl Strategy<Value = String> {
    prop_oneof![
        "",
        "ALLOW",
        "Allow",
        " allow",
        "allow ",
        "approve",
        "true",
        "[a-z_]{1,20}"
    ]
    .prop_filter("is a mode", |text| Mode::from_name(text).is_none())
}

fn digest(text: &str) -> JsonDigest {
    JsonDigest::of(&text.into())
}

/// The action as it is now.
fn current(risk: Risk) -> DefinitionStamp {
    DefinitionStamp {
        digests: digests("current", "current"),
        risk,
    }
}

fn digests(interface: &str, contract: &str) -> DefinitionDigests {
    DefinitionDigests {
        interface: digest(interface),
        contract: digest(contract),
    }
}

/// What somebody saw: the current definition, other words, another interface.
fn seen() -> impl Strategy<Value = DefinitionDigests> {
    prop_oneof![
        2 => Just(digests("current", "current")),
        1 => Just(digests("current", "another")),
        1 => Just(digests("another", "another")),
    ]
}

fn pin() -> impl Strategy<Value = Option<DefinitionDigests>> {
    prop::option::weighted(0.8, seen())
}

fn stamp() -> impl Strategy<Value = DefinitionStamp> {
    (seen(), risk()).prop_map(|(digests, risk)| DefinitionStamp { digests, risk })
}

fn text_changes() -> impl Strategy<Value = TextChanges> {
    prop::sample::select(TextChanges::ALL)
}

fn pinned() -> impl Strategy<Value = PinnedMode> {
    (stored(), pin()).prop_map(|(mode, pin)| PinnedMode { mode, pin })
}

fn inputs() -> impl Strategy<Value = ModeInputs> {
    (
        prop::array::uniform3(prop::option::of(pinned())),
        prop::option::of(stamp()),
        text_changes(),
    )
        .prop_map(
            |([automation, organization, connector], reviewed, text)| ModeInputs {
                automation_override: automation,
                org_default: organization,
                connector_override: connector,
                reviewed,
                text_changes: text,
            },
        )
}

const SOURCES: [ModeSource; 3] = [
    ModeSource::AutomationOverride,
    ModeSource::OrgDefault,
    ModeSource::ConnectorOverride,
];

/// Nothing is set, and the action was reviewed as it is now.
fn reviewed(risk: Risk) -> ModeInputs {
    ModeInputs {
        automation_override: None,
        org_default: None,
        connector_override: None,
        reviewed: Some(current(risk)),
        text_changes: TextChanges::Flag,
    }
}

fn steps(inputs: &mut ModeInputs) -> [&mut Option<PinnedMode>; 3] {
    [
        &mut inputs.automation_override,
        &mut inputs.org_default,
        &mut inputs.connector_override,
    ]
}

/// The same with this as the first step that says anything.
fn won_by(mut inputs: ModeInputs, winner: usize, stored: &PinnedMode) -> ModeInputs {
    for (at, step) in steps(&mut inputs).into_iter().enumerate() {
        if at < winner {
            *step = None;
        } else if at == winner {
            *step = Some(stored.clone());
        }
    }
    inputs
}

/// What the cascade says when nobody looks at what it was said of.
fn unguarded(inputs: &ModeInputs, risk: Risk) -> Mode {
    let steps = [
        &inputs.automation_override,
        &inputs.org_default,
        &inputs.connector_override,
    ];
    match steps.into_iter().flatten().next() {
        Some(PinnedMode { mode, .. }) => Mode::from_name(mode.as_str()).unwrap_or(Mode::Deny),
        None => inferred_mode(risk),
    }
}

/// The decision when the organization has set this.
fn decide_one(mode: Mode, pin: Option<DefinitionDigests>) -> (Mode, bool) {
    let mode = StoredMode::Known(mode);
    let inputs = won_by(reviewed(Risk::Read), 1, &PinnedMode { mode, pin });
    let decision = decide(&inputs, current(Risk::Read));
    (decision.mode, decision.drifted)
}

proptest! {
    #[test]
    fn the_first_step_that_says_anything_wins(
        inputs in inputs(),
        winner in 0_usize..3,
        mode in mode(),
        risk in risk(),
    ) {
        let pin = Some(current(risk).digests);
        let stored = PinnedMode { mode: StoredMode::Known(mode), pin };
        let decision = decide(&won_by(inputs, winner, &stored), current(risk));
        prop_assert_eq!(decision.mode, mode);
        prop_assert_eq!(decision.source, SOURCES[winner]);
        prop_assert!(!decision.drifted && !decision.text_changed);
        prop_assert_eq!(decision.unknown_value, None);
    }

    #[test]
    fn an_unknown_value_denies_whatever_stands_below(
        inputs in inputs(),
        winner in 0_usize..3,
        value in unknown(),
        pin in pin(),
        risk in risk(),
    ) {
        let stored = PinnedMode { mode: StoredMode::from_text(&value), pin };
        let decision = decide(&won_by(inputs, winner, &stored), current(risk));
        prop_assert_eq!(decision.mode, Mode::Deny);
        prop_assert_eq!(decision.source, SOURCES[winner]);
        prop_assert_eq!(decision.unknown_value, Some(value));
    }

    #[test]
    fn a_stricter_value_at_any_step_never_loosens(
        inputs in inputs(),
        changed in 0_usize..3,
        value in stored(),
        risk in risk(),
    ) {
        let before = decide(&inputs, current(risk));
        let mut inputs = inputs;
        let step = &mut *steps(&mut inputs)[changed];
        let stricter = match (step.as_ref().map(|step| &step.mode), &value) {
            (Some(StoredMode::Known(before)), StoredMode::Known(after)) => after <= before,
            (Some(_), StoredMode::Unknown(_)) => true,
            // A value where there was none is a decision of its own.
            _ => false,
        };
        prop_assume!(stricter);
        if let Some(step) = step {
            step.mode = value;
        }
        prop_assert!(decide(&inputs, current(risk)).mode <= before.mode);
    }

    #[test]
    fn a_higher_risk_never_loosens(inputs in inputs(), low in risk(), high in risk()) {
        prop_assume!(low <= high);
        let [low, high] = [low, high].map(|risk| decide(&inputs, current(risk)));
        prop_assert!(high.mode <= low.mode);
        prop_assert!(high.risk >= low.risk);
    }

    #[test]
    fn the_guard_never_loosens(inputs in inputs(), risk in risk()) {
        let guarded = decide(&inputs, current(risk));
        let without = unguarded(&inputs, risk);
        prop_assert!(guarded.mode <= without);
        let reviewed = inputs.reviewed.map_or(risk, |reviewed| reviewed.risk);
        prop_assert!(guarded.mode <= unguarded(&inputs, risk.max(reviewed)));
        // And does nothing but make an `allow` wait.
        let same = guarded.mode == unguarded(&inputs, guarded.risk);
        prop_assert!(same || (guarded.drifted && guarded.mode == Mode::RequireApproval));
    }

    #[test]
    fn nothing_that_drifted_is_allowed(inputs in inputs(), risk in risk()) {
        let decision = decide(&inputs, current(risk));
        prop_assert!(!decision.drifted || decision.mode < Mode::Allow);
    }

    #[test]
    fn what_nobody_saw_is_never_allowed(inputs in inputs(), winner in 0_usize..4, risk in risk()) {
        let mut inputs = inputs;
        inputs.reviewed = None;
        for (at, step) in steps(&mut inputs).into_iter().enumerate() {
            match step {
                Some(step) if at == winner => step.pin = None,
                step if at < winner => *step = None,
                _ => {}
            }
        }
        let decision = decide(&inputs, current(risk));
        let decider = SOURCES.get(winner).copied().unwrap_or(ModeSource::InferredDefault);
        prop_assume!(decision.source == decider);
        prop_assert!(decision.drifted);
        prop_assert!(decision.mode < Mode::Allow);
    }

    #[test]
    fn the_risk_in_force_is_the_stricter_of_reviewed_and_current(
        inputs in inputs(),
        risk in risk(),
    ) {
        let decision = decide(&inputs, current(risk));
        let reviewed = inputs.reviewed.map_or(risk, |reviewed| reviewed.risk);
        prop_assert_eq!(decision.risk, risk.max(reviewed));
    }

    #[test]
    fn to_mind_other_words_is_never_less_strict(inputs in inputs(), risk in risk()) {
        let [lenient, strict] = [TextChanges::Flag, TextChanges::RequireApproval].map(|text| {
            let inputs = ModeInputs { text_changes: text, ..inputs.clone() };
            decide(&inputs, current(risk))
        });
        prop_assert!(strict.mode <= lenient.mode);
        prop_assert!(strict.drifted || !lenient.drifted);
        prop_assert_eq!(strict.drifted, lenient.drifted || lenient.text_changed);
    }

    #[test]
    fn an_explanation_leads_to_its_outcome(inputs in inputs(), risk in risk()) {
        let explanation = explain(&inputs, current(risk));
        let outcome = &explanation.outcome;
        prop_assert_eq!(outcome, &decide(&inputs, current(risk)));
        let deciding: Vec<_> = explanation.steps.iter()
            .filter(|step| step.verdict == StepVerdict::Decides)
            .collect();
        prop_assert_eq!(deciding.len(), 1);
        prop_assert_eq!(deciding[0].source, outcome.source);
        prop_assert_eq!(deciding[0].mode, Some(explanation.guard.before));
        prop_assert_eq!(explanation.guard.after, outcome.mode);
        for step in &explanation.steps {
            prop_assert_eq!(step.mode.is_none(), step.verdict == StepVerdict::SaysNothing);
        }
    }

    #[test]
    fn a_stored_mode_reads_as_it_was_written(stored in stored()) {
        prop_assert_eq!(StoredMode::from_text(stored.as_str()), stored);
    }
}

#[test]
fn an_allow_holds_for_the_definition_it_was_given_to() {
    let allow = |pin| decide_one(Mode::Allow, Some(pin));
    assert_eq!(allow(digests("current", "current")), (Mode::Allow, false));
    let another = digests("another", "another");
    assert_eq!(allow(another), (Mode::RequireApproval, true));
}

#[test]
fn an_allow_without_a_pin_has_drifted() {
    assert_eq!(decide_one(Mode::Allow, None), (Mode::RequireApproval, true));
}

#[test]
fn what_is_stricter_stays_and_its_drift_is_told() {
    for mode in [Mode::RequireApproval, Mode::Deny] {
        let current = digests("current", "current");
        assert_eq!(decide_one(mode, Some(current)), (mode, false));
        let another = digests("another", "another");
        assert_eq!(decide_one(mode, Some(another)), (mode, true));
    }
}

#[test]
fn other_words_are_told_and_guarded_where_the_organization_says_so() {
    let stored = PinnedMode {
        mode: StoredMode::Known(Mode::Allow),
        pin: Some(digests("current", "another")),
    };
    let by_pin = won_by(reviewed(Risk::Read), 1, &stored);
    let mut by_review = reviewed(Risk::Read);
    by_review.reviewed = Some(DefinitionStamp {
        digests: digests("current", "another"),
        risk: Risk::Read,
    });
    for mut inputs in [by_pin, by_review] {
        for (text_changes, mode) in [
            (TextChanges::Flag, Mode::Allow),
            (TextChanges::RequireApproval, Mode::RequireApproval),
        ] {
            inputs.text_changes = text_changes;
            let decision = decide(&inputs, current(Risk::Read));
            assert_eq!(decision.mode, mode);
            assert_eq!(decision.drifted, mode != Mode::Allow);
            assert!(decision.text_changed);
        }
    }
}

#[test]
fn a_policy_that_nobody_knows_is_the_stricter() {
    assert_eq!(TextChanges::from_stored("flag"), TextChanges::Flag);
    for text in ["require_approval", "", "FLAG", "ignore"] {
        assert_eq!(TextChanges::from_stored(text), TextChanges::RequireApproval);
    }
}

#[test]
fn without_overrides_the_risk_decides_what_was_reviewed() {
    for (risk, mode) in [
        (Risk::Read, Mode::Allow),
        (Risk::Write, Mode::RequireApproval),
        (Risk::Danger, Mode::Deny),
    ] {
        let expected = ModeDecision {
            mode,
            source: ModeSource::InferredDefault,
            risk,
            drifted: false,
            text_changed: false,
            unknown_value: None,
        };
        assert_eq!(decide(&reviewed(risk), current(risk)), expected);
    }
}

#[test]
fn what_appears_after_the_review_waits_for_a_person_at_least() {
    let mut inputs = reviewed(Risk::Read);
    inputs.reviewed = None;
    for (risk, mode) in [
        (Risk::Read, Mode::RequireApproval),
        (Risk::Write, Mode::RequireApproval),
        (Risk::Danger, Mode::Deny),
    ] {
        let decision = decide(&inputs, current(risk));
        assert_eq!(decision.mode, mode);
        assert!(decision.drifted);
    }
}

#[test]
fn a_hint_that_becomes_laxer_relaxes_nothing_and_a_stricter_one_counts() {
    let decided = |reviewed_as, now| decide(&reviewed(reviewed_as), current(now)).mode;
    assert_eq!(decided(Risk::Danger, Risk::Read), Mode::Deny);
    assert_eq!(decided(Risk::Write, Risk::Read), Mode::RequireApproval);
    assert_eq!(decided(Risk::Read, Risk::Write), Mode::RequireApproval);
    assert_eq!(decided(Risk::Read, Risk::Danger), Mode::Deny);
}

#[test]
fn modes_are_ordered_by_strictness() {
    assert!(Mode::Deny < Mode::RequireApproval && Mode::RequireApproval < Mode::Allow);
    assert!(Risk::Read < Risk::Write && Risk::Write < Risk::Danger);
}
