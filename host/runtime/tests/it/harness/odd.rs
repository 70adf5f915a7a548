//! Components written by hand, for what no compiler would make.

use std::path::Path;

use wit_component::{ComponentEncoder, embed_component_metadata};
use wit_parser::Resolve;

pub(crate) use wit_component::StringEncoding;

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
    /// How its strings are encoded.
    pub(crate) encoding: StringEncoding,
    /// What is replaced in the contract that it was made for.
    pub(crate) contract_changes: &'a [(&'a str, &'a str)],
    /// What is replaced in the whole of the module.
    pub(crate) module_changes: &'a [(&'a str, &'a str)],
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
            encoding: StringEncoding::UTF8,
            contract_changes: &[],
            module_changes: &[],
        }
    }
}

impl OddGuest<'_> {
    pub(crate) fn component(&self) -> Vec<u8> {
        let mut module = wat::parse_str(self.module()).unwrap();
        let mut wit = Resolve::default();
        wit.push_str("contract.wit", &self.contract()).unwrap();
        wit.push_str("wasi.wit", include_str!("wasi.wit")).unwrap();
        let package = wit.push_str("odd.wit", &self.wit()).unwrap();
        let world = wit.select_world(&[package], Some("odd")).unwrap();
        embed_component_metadata(&mut module, &wit, world, self.encoding, false).unwrap();
        ComponentEncoder::default()
            .module(&module)
            .unwrap()
            .encode()
            .unwrap()
    }

    /// The contract, changed, as one text.
    fn contract(&self) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        let files = std::fs::read_dir(folder).unwrap();
        let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let package = "package portcullis:provider@0.1.0;";
        let texts: String = texts.map(|text| text.replacen(package, "", 1)).collect();
        changed(format!("{package} {texts}"), self.contract_changes)
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
            describe,
            execute,
            realloc,
            post_return,
            ..
        } = self;
        let data = self.data();
        let module = format!(
            r#"(module
  {imports}
  (memory (export "memory") {memory})
  {fields}
  {data}
  (func (export "portcullis:provider/provider@0.1.0#describe") (result i32) {describe})
  ;; Nothing but zeros stands at 512: an empty list, and an empty text.
  (func (export "portcullis:provider/actions@0.1.0#list") (result i32) i32.const 512)
  (func (export "portcullis:provider/actions@0.1.0#guide") (result i32) i32.const 512)
  (func (export "portcullis:provider/actions@0.1.0#execute")
    (param i32 i32 i32 i32 i32 i32) (result i32) {execute})
  (func (export "cabi_post_portcullis:provider/actions@0.1.0#execute")
    (param i32) {post_return})
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc}))"#
        );
        changed(module, self.module_changes)
    }

    /// Texts at 16, the record of `describe` at 256, and `ok` with the text `{}` at 1024.
    fn data(&self) -> String {
        let texts = encoded("odd Odd 1.0.0 {}", self.encoding);
        let [odd, name, version, result] = [(0, 3), (4, 3), (8, 5), (14, 2)];
        let text = |(start, length): (u32, u32)| {
            let width = u32::try_from(texts.len() / 16).unwrap();
            [16 + start * width, length].map(u32::to_le_bytes).concat()
        };
        // Id, name, description, no icon, version; zeros follow: no connections, no
        // endpoints, no limits.
        let record = [
            text(odd),
            text(name),
            text(name),
            vec![0; 12],
            text(version),
        ]
        .concat();
        [(16, texts.clone()), (256, record), (1032, text(result))]
            .map(|(address, bytes)| format!("(data (i32.const {address}) \"{}\")", escaped(&bytes)))
            .concat()
    }
}

fn changed(text: String, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text, |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "`{from}`");
        text.replace(from, to)
    })
}

/// ASCII in the encoding of a component's strings.
fn encoded(text: &str, encoding: StringEncoding) -> Vec<u8> {
    match encoding {
        StringEncoding::UTF16 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        StringEncoding::UTF8 | StringEncoding::CompactUTF16 => text.as_bytes().to_vec(),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let bytes = bytes.iter().map(|byte| format!("\\{byte:02x}"));
    bytes.collect::<Vec<_>>().concat()
}
