//! Bytes that are no plugin, or not one of ours.

use std::time::Duration;

use portcullis_runtime::inspect::{InspectError, inspect};
use portcullis_runtime::{Compiler, LoadError, Plugin, Sandbox};

use crate::harness::{Guest, OddGuest, config, egress_client, probe, refusal};

#[track_caller]
fn inspect_error(error: LoadError) -> InspectError {
    match error {
        LoadError::Inspect(error) => error,
        other => panic!("{other}"),
    }
}

async fn refusal_of_text(wat: &str) -> LoadError {
    refusal(wat::parse_str(wat).unwrap()).await
}

#[tokio::test]
async fn garbage_is_refused() {
    for bytes in [
        &b""[..],
        b"garbage",
        b"\0asm",
        b"(component)",
        &[0xff; 4096],
    ] {
        let error = inspect_error(refusal(bytes.to_vec()).await);
        assert!(matches!(error, InspectError::NotAComponent(_)), "{error}");
    }
}

/// An `Inspect` error and no other: nothing of what is broken reaches the
/// compiler, and a panic there would be another error.
#[tokio::test]
async fn a_component_cut_off_anywhere_is_refused_before_it_is_compiled() {
    let sandbox = Sandbox::new(config()).unwrap();
    let (whole, client) = (probe(), egress_client());
    for length in (0..end_of_what_counts(&whole)).step_by(97) {
        let part = whole[..length].to_vec();
        match Plugin::load(&sandbox, &Compiler::in_process(), part, client.clone()).await {
            Err(LoadError::Inspect(_)) => {}
            other => panic!("{length} bytes: {other:?}"),
        }
    }
}

/// Where the last section ends that is not a note: without its notes a component is
/// still all there.
fn end_of_what_counts(component: &[u8]) -> usize {
    let header = b"\0asm\x0d\0\x01\0".len();
    let (mut at, mut end) = (header, header);
    while at < component.len() {
        let is_note = component[at] == 0;
        at = end_of_section(component, at);
        if !is_note {
            end = at;
        }
    }
    end
}

/// A section is a byte that says what it is, the number of its bytes, and these.
fn end_of_section(component: &[u8], section: usize) -> usize {
    let (mut bytes, mut at) = (0, section + 1);
    for shift in (0..).step_by(7) {
        let next = component[at];
        at += 1;
        bytes |= usize::from(next & 0x7f) << shift;
        if next & 0x80 == 0 {
            break;
        }
    }
    at + bytes
}

#[test]
fn a_component_with_a_broken_byte_anywhere_does_not_break_the_inspection() {
    let mut bytes = probe();
    for at in (0..bytes.len()).step_by(211) {
        let whole = bytes[at];
        bytes[at] ^= 0xff;
        // What is broken may be a text, which is as good as another.
        let _ = inspect(&bytes, bytes.len());
        bytes[at] = whole;
    }
    assert!(inspect(&bytes, bytes.len()).is_ok());
}

#[tokio::test]
async fn a_component_over_the_size_limit_is_refused() {
    let bytes = probe();
    let size = bytes.len();
    let limited = |limit| Guest::load(bytes.clone(), move |config| config.component_bytes = limit);
    assert!(limited(size).await.is_ok());
    let error = limited(size - 1).await.map(|guest| guest.plugin);
    let limit = size - 1;
    assert_eq!(
        inspect_error(error.unwrap_err()),
        InspectError::TooLarge { size, limit }
    );
}

#[tokio::test]
async fn a_core_module_is_refused() {
    let error = refusal_of_text("(module)").await;
    assert!(error.to_string().contains("it is a core module"), "{error}");
}

#[tokio::test]
async fn a_component_that_wants_more_than_the_contract_is_refused() {
    for import in [
        "portcullis:provider/secrets@0.1.0",
        "portcullis:provider-x/http@0.1.0",
        "anything",
    ] {
        let wat = format!(r#"(component (import "{import}" (instance)))"#);
        let error = inspect_error(refusal_of_text(&wat).await);
        assert_eq!(error, InspectError::ForeignImport(import.to_owned()));
    }
}

#[tokio::test]
async fn a_component_of_another_version_of_the_contract_is_refused() {
    let import = "portcullis:provider/http@0.2.0";
    let wat = format!(r#"(component (import "{import}" (instance)))"#);
    assert_eq!(
        inspect_error(refusal_of_text(&wat).await),
        InspectError::ContractVersion(import.to_owned())
    );
    let export = "portcullis:provider/provider@0.2.0";
    let wat = format!(r#"(component (instance $i) (export "{export}" (instance $i)))"#);
    assert_eq!(
        inspect_error(refusal_of_text(&wat).await),
        InspectError::ContractVersion(export.to_owned())
    );
}

#[tokio::test]
async fn a_component_without_the_exports_is_refused() {
    let error = inspect_error(refusal_of_text("(component)").await);
    assert_eq!(error, InspectError::MissingExport("provider".into()));
    let wat = r#"(component (instance $i)
        (export "portcullis:provider/provider@0.1.0" (instance $i)))"#;
    let error = inspect_error(refusal_of_text(wat).await);
    assert_eq!(error, InspectError::MissingExport("actions".into()));
}

/// Exports of the right names in a component that is otherwise this.
fn exporting(fields: &str) -> String {
    format!(
        r#"(component {fields} (instance $i)
            (export "portcullis:provider/provider@0.1.0" (instance $i))
            (export "portcullis:provider/actions@0.1.0" (instance $i)))"#
    )
}

#[tokio::test]
async fn exports_of_other_types_do_not_fit() {
    let error = refusal_of_text(&exporting("")).await;
    assert!(matches!(error, LoadError::Link(_)), "{error}");
}

#[tokio::test]
async fn imports_of_other_types_do_not_fit() {
    let now = r#"(import "portcullis:provider/clock@0.1.0"
        (instance (export "now" (func (result string)))))"#;
    let error = refusal_of_text(&exporting(now)).await;
    assert!(matches!(error, LoadError::Link(_)), "{error}");
}

#[tokio::test]
async fn a_name_that_stands_twice_is_refused() {
    let clock = r#"(import "portcullis:provider/clock@0.1.0" (instance))"#;
    let error = inspect_error(refusal_of_text(&exporting(&clock.repeat(2))).await);
    assert!(matches!(error, InspectError::NotAComponent(_)), "{error}");
}

#[tokio::test]
async fn features_that_no_provider_needs_are_refused() {
    for module in [
        "(module (memory i64 1))",
        "(module (memory 1 1 shared))",
        "(module (func $f return_call $f))",
        "(module (tag))",
        "(module (type (struct)))",
        "(module (table 1 externref))",
        "(module (func (param v128) (result v128)
            local.get 0 local.get 0 local.get 0 f32x4.relaxed_madd))",
    ] {
        let core = module.replacen("(module", "(core module", 1);
        let error = inspect_error(refusal_of_text(&exporting(&core)).await);
        assert!(
            matches!(error, InspectError::NotAComponent(_)),
            "{module}: {error}"
        );
    }
}

#[tokio::test]
async fn a_component_of_too_many_parts_is_refused() {
    let error = inspect_error(refusal_of_text(&exporting(&"(core module)".repeat(65))).await);
    assert!(
        error
            .to_string()
            .contains("has 65 core modules, and may have 64"),
        "{error}"
    );
    let error = refusal_of_text(&exporting(&"(core module)".repeat(64))).await;
    assert!(matches!(error, LoadError::Link(_)), "{error}");
}

#[tokio::test]
async fn a_component_that_starts_with_too_much_memory_is_refused() {
    let starting_with = |pages: usize| async move {
        let memory = pages.to_string();
        let odd = OddGuest {
            memory: &memory,
            ..OddGuest::default()
        };
        let loaded = Guest::load(odd.component(), |config| {
            config.limits.memory_bytes = 64 << 16;
        });
        loaded.await.map(|guest| guest.plugin)
    };
    assert!(starting_with(64).await.is_ok());
    let error = starting_with(65).await.unwrap_err();
    assert!(error.to_string().contains("memory"), "{error}");
}

#[tokio::test]
async fn a_component_that_fails_as_it_starts_is_refused() {
    for (start, says) in [
        ("unreachable", "stopped abruptly"),
        ("(loop $again (br $again))", "CPU time"),
    ] {
        let odd = OddGuest {
            fields: &format!("(func $start {start}) (start $start)"),
            ..OddGuest::default()
        };
        let loaded = Guest::load(odd.component(), |config| {
            config.limits.cpu_time = Duration::from_millis(20);
        });
        let error = loaded.await.map(|guest| guest.plugin).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("instantiation") && text.contains(says),
            "{text}"
        );
    }
}
