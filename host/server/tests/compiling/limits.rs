//! What a component may take, with a worker that really compiles.

use std::time::Duration;

use portcullis_runtime::{CompileSettings, LoadError};

use crate::components::{component, hard, small};
use crate::{compile, digest, refusal, settings};

#[tokio::test]
async fn a_worker_makes_what_the_engine_takes() {
    let small = small();
    let compiled = compile(settings(), &small).await.unwrap();
    assert_eq!(compiled.digest(), digest(&small));
    assert_eq!(compiled.inspection().size, small.len());
    assert_eq!(compiled.inspection().imports.len(), 0);
}

#[tokio::test]
async fn memory_is_bounded() {
    let memory_bytes = 160 << 20;
    let settings = CompileSettings {
        memory_bytes,
        ..settings()
    };
    assert!(compile(settings.clone(), &small()).await.is_ok());
    let error = refusal(settings, &hard()).await;
    let LoadError::CompileMemory { limit } = error else {
        panic!("{error}");
    };
    assert_eq!(limit, memory_bytes);
    let text = error.to_string();
    assert!(text.contains("plugins.compile_memory_bytes"), "{text}");
}

#[tokio::test]
async fn cpu_time_is_bounded() {
    let settings = CompileSettings {
        cpu_seconds: 1,
        ..settings()
    };
    assert!(compile(settings.clone(), &small()).await.is_ok());
    let error = refusal(settings, &hard()).await;
    assert!(
        matches!(error, LoadError::CompileCpu { seconds: 1 }),
        "{error}"
    );
    let text = error.to_string();
    assert!(text.contains("plugins.compile_cpu_seconds"), "{text}");
}

#[tokio::test]
async fn time_is_bounded() {
    let settings = CompileSettings {
        timeout: Duration::from_millis(1),
        ..settings()
    };
    let error = refusal(settings, &hard()).await;
    assert!(matches!(error, LoadError::CompileTime { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("plugins.compile_seconds"), "{text}");
}

#[tokio::test]
async fn what_is_no_component_is_refused_as_in_this_process() {
    for (bytes, reason) in [
        (Vec::new(), "it is empty"),
        (b"hello".to_vec(), "it is no WebAssembly at all"),
        (b"(component)".to_vec(), "it is text"),
        (b"\0asm\x01\0\0\0".to_vec(), "it is a core module"),
        (small()[..40].to_vec(), "not a WebAssembly component"),
        (vec![0; 64 << 20], "(sandbox.component_bytes)"),
        (
            component(r#"(import "anything" (instance))"#),
            "`anything`, which is outside the contract",
        ),
        (component(&"(core module)".repeat(65)), "65 core modules"),
    ] {
        let error = refusal(settings(), &bytes).await;
        assert!(matches!(error, LoadError::Inspect(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(reason), "{text}");
    }
}
