//! Components written by hand, for what no compiler would make.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A core module in text form that implements the contract, and whose parts can
/// be replaced one by one. As it is, it is a provider without actions that
/// answers every call with `{}`.
pub(crate) struct OddGuest<'a> {
    /// Imports of the module.
    pub(crate) imports: &'a str,
    /// The type of the memory.
    pub(crate) memory: &'a str,
    /// More fields of the module.
    pub(crate) fields: &'a str,
    /// More items of the world, such as `import wasi:cli/exit@0.2.0;`. What there
    /// is of WASI stands in `wasi.wit`.
    pub(crate) world: &'a str,
    /// The body of `describe`: it answers the address of a descriptor.
    pub(crate) describe: &'a str,
    /// The body of `execute`: it answers the address of a result.
    pub(crate) execute: &'a str,
    /// The body of `cabi_realloc`: it answers the address of a block.
    pub(crate) realloc: &'a str,
    /// The body of the function that runs after `execute`.
    pub(crate) post_return: &'a str,
}

impl OddGuest<'_> {
    /// The address of the result `ok("{}")`.
    pub(crate) const OK: &'static str = "i32.const 1024";

    /// The address of the descriptor that is there.
    pub(crate) const DESCRIPTOR: &'static str = "i32.const 256";
}

impl Default for OddGuest<'_> {
    fn default() -> Self {
        Self {
            imports: "",
            memory: "1",
            fields: "",
            world: "",
            describe: Self::DESCRIPTOR,
            execute: Self::OK,
            realloc: "i32.const 4096",
            post_return: "",
        }
    }
}

impl OddGuest<'_> {
    pub(crate) fn component(&self) -> Vec<u8> {
        let mut module = wat::parse_str(self.module()).unwrap();
        let mut wit = Resolve::default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        wit.push_dir(folder).unwrap();
        wit.push_str("wasi.wit", include_str!("wasi.wit")).unwrap();
        let package = wit.push_str("odd.wit", &self.wit()).unwrap();
        let world = wit.select_world(&[package], Some("odd")).unwrap();
        embed_component_metadata(&mut module, &wit, world, StringEncoding::UTF8, false).unwrap();
        ComponentEncoder::default()
            .module(&module)
            .unwrap()
            .encode()
            .unwrap()
    }

    fn wit(&self) -> String {
        format!(
            "package test:odd;
             world odd {{ include portcullis:provider/action-source@0.1.0; {} }}",
            self.world
        )
    }

    fn module(&self) -> String {
        let Self {
            imports,
            memory,
            fields,
            world: _,
            describe,
            execute,
            realloc,
            post_return,
        } = self;
        format!(
            r#"(module
  {imports}
  (memory (export "memory") {memory})
  {fields}
  ;; Texts, and the record of `describe`: id, name, description, no icon,
  ;; version, no connections, no endpoints, no limits; each text is an address and a length.
  (data (i32.const 16) "odd Odd 1.0.0 {{}}")
  (data (i32.const 256)
    "\10\00\00\00\03\00\00\00" "\14\00\00\00\03\00\00\00" "\14\00\00\00\03\00\00\00"
    "\00\00\00\00\00\00\00\00\00\00\00\00" "\18\00\00\00\05\00\00\00")
  ;; `ok` and the text `{{}}`.
  (data (i32.const 1032) "\1e\00\00\00\02\00\00\00")
  (func (export "portcullis:provider/provider@0.1.0#describe") (result i32) {describe})
  ;; Nothing but zeros stands at 512: an empty list, and an empty text.
  (func (export "portcullis:provider/actions@0.1.0#list") (result i32) i32.const 512)
  (func (export "portcullis:provider/actions@0.1.0#guide") (result i32) i32.const 512)
  (func (export "portcullis:provider/actions@0.1.0#execute")
    (param i32 i32 i32 i32 i32 i32) (result i32) {execute})
  (func (export "cabi_post_portcullis:provider/actions@0.1.0#execute")
    (param i32) {post_return})
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc}))"#
        )
    }
}
