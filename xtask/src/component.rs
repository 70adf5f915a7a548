//! From a core module to a component, and what a component asks of its host.

use anyhow::{Context as _, bail};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

/// The package of the contract in `wit/`: the only one a plugin may import.
const CONTRACT: &str = "portcullis:provider/";

/// Encodes the module that rustc made, whose world is in its custom sections,
/// and makes sure that nothing but the contract is asked of the host.
pub(crate) fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let component = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .context("the module carries no usable world")?
        .encode()
        .context("the module does not fit the world it was built for")?;
    match foreign_import(&component)? {
        Some(name) => bail!(
            "the component imports `{name}`, but a plugin may import nothing outside \
             `{CONTRACT}*`: a dependency wants something that only an operating system has"
        ),
        None => Ok(component),
    }
}

/// The first import that is not of the contract.
fn foreign_import(component: &[u8]) -> anyhow::Result<Option<String>> {
    // Modules and components inside have imports too; those are satisfied by
    // the component itself and say nothing about the host.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(imports) if depth == 1 => {
                for import in imports {
                    let name = import?.name.name;
                    if !name.starts_with(CONTRACT) {
                        return Ok(Some(name.to_owned()));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_foreign_import(wat: &str, expected: Option<&str>) {
        let component = wat::parse_str(wat).unwrap();
        assert_eq!(
            foreign_import(&component).unwrap().as_deref(),
            expected,
            "{wat}"
        );
    }

    #[test]
    fn imports_of_the_contract_are_fine() {
        check_foreign_import("(component)", None);
        check_foreign_import(
            r#"(component
                (import "portcullis:provider/http@0.1.0" (instance))
                (import "portcullis:provider/clock@0.1.0" (instance)))"#,
            None,
        );
    }

    #[test]
    fn the_first_foreign_import_is_named() {
        check_foreign_import(
            r#"(component
                (import "portcullis:provider/http@0.1.0" (instance))
                (import "wasi:cli/environment@0.2.0" (instance))
                (import "wasi:sockets/tcp@0.2.0" (instance)))"#,
            Some("wasi:cli/environment@0.2.0"),
        );
    }

    #[test]
    fn a_package_whose_name_only_starts_the_same_is_foreign() {
        check_foreign_import(
            r#"(component (import "portcullis:provider-x/http@0.1.0" (instance)))"#,
            Some("portcullis:provider-x/http@0.1.0"),
        );
    }

    #[test]
    fn imports_of_inner_modules_and_components_do_not_count() {
        check_foreign_import(
            r#"(component
                (core module (import "env" "f" (func)))
                (component (import "wasi:cli/environment@0.2.0" (instance))))"#,
            None,
        );
    }

    #[test]
    fn an_import_after_an_inner_component_counts() {
        check_foreign_import(
            r#"(component
                (component (component))
                (import "wasi:cli/environment@0.2.0" (instance)))"#,
            Some("wasi:cli/environment@0.2.0"),
        );
    }

    #[test]
    fn a_module_without_a_world_is_refused_when_it_imports() {
        let module = wat::parse_str(r#"(module (import "env" "f" (func)))"#).unwrap();
        let error = format!("{:#}", encode(&module).unwrap_err());
        assert!(error.contains("env"), "{error}");
    }

    #[test]
    fn what_is_not_wasm_is_refused() {
        assert!(encode(b"not wasm").is_err());
    }
}
