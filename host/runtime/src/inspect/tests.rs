//! What is refused, and each bound on the parts of a component, just over it.
//!
//! Where parts are counted the binaries are written by hand: most sections only say
//! how much they have, which is enough to be refused.

use super::*;

fn check_refused(wat: &str, expected: &InspectError) {
    let bytes = wat::parse_str(wat).unwrap();
    assert_eq!(&inspect(&bytes, 1 << 20).unwrap_err(), expected);
}

#[test]
fn a_core_module_is_refused_with_advice() {
    let error = inspect(&wat::parse_str("(module)").unwrap(), 1024).unwrap_err();
    assert!(error.to_string().contains("core module"), "{error}");
}

#[test]
fn garbage_truncated_and_empty_bytes_are_refused() {
    for bytes in [
        &b""[..],
        b"hello",
        b"\0asm",
        b"\0asm\x0d\0\x01\0\xff\xff\xff",
    ] {
        assert!(
            matches!(
                inspect(bytes, 1024),
                Err(InspectError::NotAComponent(_) | InspectError::MissingExport(_))
            ),
            "{bytes:?}"
        );
    }
}

#[test]
fn an_import_outside_the_contract_is_named() {
    check_refused(
        r#"(component (import "wasi-like:cli/environment@0.2.0" (instance)))"#,
        &InspectError::ForeignImport("wasi-like:cli/environment@0.2.0".to_owned()),
    );
    check_refused(
        r#"(component (import "portcullis:provider/files@0.1.0" (instance)))"#,
        &InspectError::ForeignImport("portcullis:provider/files@0.1.0".to_owned()),
    );
}

#[test]
fn a_name_cannot_steer_a_terminal_or_fill_it() {
    check_refused(
        r#"(component (import "a\1b[31m\n" (func)))"#,
        &InspectError::ForeignImport(r"a\u{1b}[31m\n".to_owned()),
    );
    check_refused(
        &format!(r#"(component (import "{}" (func)))"#, "a".repeat(5000)),
        &InspectError::ForeignImport("a".repeat(names::SHOWN_CHARS)),
    );
}

#[test]
fn what_the_parser_quotes_cannot_steer_a_terminal_or_fill_it() {
    let long = "a".repeat(5000);
    for name in [r"a\1b[31m\0d\0a", r"\e2\80\ae", &long] {
        // Two exports of one name are an error that quotes it.
        let wat = format!(
            r#"(component (instance $i)
                (core module (func $f) (export "{name}" (func $f)) (export "{name}" (func $f)))
                (export "portcullis:provider/provider@0.1.0" (instance $i))
                (export "portcullis:provider/actions@0.1.0" (instance $i)))"#
        );
        let error = inspect(&wat::parse_str(wat).unwrap(), 1 << 20).unwrap_err();
        let told = error.to_string();
        assert!(told.contains("duplicate export"), "{told:?}");
        assert!(told.len() < 500, "{told}");
        let steers = |c: char| c.is_control() || c == '\u{202e}';
        assert!(!told.contains(steers), "{told:?}");
    }
    let told = inspect(b"not one", 1 << 20).unwrap_err().to_string();
    assert!(!told.contains(char::is_control), "{told:?}");
}

#[test]
fn another_version_of_the_contract_is_named() {
    check_refused(
        r#"(component (import "portcullis:provider/http@9.0.0" (instance)))"#,
        &InspectError::ContractVersion("portcullis:provider/http@9.0.0".to_owned()),
    );
}

#[test]
fn an_import_of_a_nested_component_is_not_ours_to_judge() {
    check_refused(
        r#"(component (component (import "anything" (func))))"#,
        &InspectError::MissingExport("provider".into()),
    );
}

#[test]
fn size_is_checked_first() {
    assert_eq!(
        inspect(&[0; 11], 10).unwrap_err(),
        InspectError::TooLarge {
            size: 11,
            limit: 10
        }
    );
}

/// A section, or any other run of bytes after its length.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    [number(bytes.len() as u64), bytes.to_vec()].concat()
}

/// As WebAssembly writes unsigned numbers.
fn number(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn section(id: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![id], with_length(bytes)].concat()
}

/// A component of these sections.
fn component(sections: &[u8]) -> Vec<u8> {
    [b"\0asm\x0d\0\x01\0", sections].concat()
}

/// A component that holds one core module of these sections.
fn module(sections: &[u8]) -> Vec<u8> {
    component(&section(1, &[b"\0asm\x01\0\0\0", sections].concat()))
}

#[track_caller]
fn check(bytes: &[u8], expected: &str) {
    let error = inspect(bytes, 1 << 30).unwrap_err();
    assert!(matches!(error, InspectError::TooMuch { .. }), "{error}");
    let text = error.to_string();
    let told = format!("the component has {expected}; build it with optimisation");
    assert!(text.starts_with(&told), "{text}");
}

/// Not refused for its sizes, though it is for being nonsense.
#[track_caller]
fn check_passes(bytes: &[u8]) {
    let error = inspect(bytes, 1 << 30).unwrap_err();
    assert!(!matches!(error, InspectError::TooMuch { .. }), "{error}");
}

#[test]
fn the_sections_of_a_core_module_are_counted() {
    for (id, limit, what) in [
        (1, 50_000, "types"),
        (2, 100_000, "imports"),
        (3, 100_000, "functions"),
        (4, 64, "tables"),
        (5, 16, "memories"),
        (6, 100_000, "globals"),
        (7, 100_000, "exports"),
        (11, 50_000, "data segments"),
    ] {
        let over = module(&section(id, &number(limit + 1)));
        check(
            &over,
            &format!("{} {what}, and may have {limit}", limit + 1),
        );
        check_passes(&module(&section(id, &number(limit))));
    }
}

#[test]
fn the_sections_of_a_component_are_counted() {
    for (id, limit, what) in [
        (2, 512, "core instances"),
        (3, 50_000, "types"),
        (5, 512, "component instances"),
        (6, 100_000, "aliases and canonical functions"),
        (7, 50_000, "types"),
        (8, 100_000, "aliases and canonical functions"),
        (10, 100_000, "imports"),
        (11, 100_000, "exports"),
    ] {
        let over = component(&section(id, &number(limit + 1)));
        check(
            &over,
            &format!("{} {what}, and may have {limit}", limit + 1),
        );
        check_passes(&component(&section(id, &number(limit))));
    }
}

#[test]
fn sums_are_over_all_modules() {
    let memories = |count: u64| {
        let memory = [0_u8, 1].repeat(usize::try_from(count).unwrap());
        let memories = section(5, &[number(count), memory].concat());
        section(1, &[b"\0asm\x01\0\0\0".as_slice(), &memories].concat())
    };
    check(
        &component(&[memories(9), memories(8)].concat()),
        "17 memories, and may have 16",
    );
    check_passes(&component(&[memories(8), memories(8)].concat()));
}

#[test]
fn what_memories_and_tables_start_with_is_added_up() {
    let memories = |pages: &[u64]| {
        let each = pages.iter().map(|pages| [vec![0], number(*pages)].concat());
        let bytes = [
            number(pages.len() as u64),
            each.collect::<Vec<_>>().concat(),
        ]
        .concat();
        module(&section(5, &bytes))
    };
    check(
        &memories(&[65_536, 1]),
        "4295032832 bytes of memory at the start, and may have 4294967296",
    );
    check_passes(&memories(&[65_535, 1]));

    let tables = |elements: &[u64]| {
        let each = elements
            .iter()
            .map(|count| [vec![0x70, 0], number(*count)].concat());
        let bytes = [
            number(elements.len() as u64),
            each.collect::<Vec<_>>().concat(),
        ]
        .concat();
        module(&section(4, &bytes))
    };
    check(
        &tables(&[999_999, 2]),
        "1000001 table elements at the start, and may have 1000000",
    );
    check_passes(&tables(&[999_999, 1]));
}

#[test]
fn functions_are_bounded_one_by_one() {
    let with_body = |body: &[u8]| {
        let code = [vec![1], with_length(body)].concat();
        let type_section = section(1, &[1, 0x60, 0, 0]);
        let sections = [type_section, section(3, &[1, 0]), section(10, &code)];
        module(&sections.concat())
    };
    let locals = |count: u64| [vec![1], number(count), vec![0x7f, 0x0b]].concat();
    check(
        &with_body(&locals(10_001)),
        "10001 locals in a function, and may have 10000",
    );
    check_passes(&with_body(&locals(10_000)));
    let two_groups = [vec![2], number(9_999), vec![0x7f, 2, 0x7e, 0x0b]].concat();
    check(
        &with_body(&two_groups),
        "10001 locals in a function, and may have 10000",
    );

    let long = |bytes: usize| {
        let mut body = vec![1; bytes];
        body[0] = 0;
        body[bytes - 1] = 0x0b;
        body
    };
    check(
        &with_body(&long((1 << 20) + 1)),
        "1048577 bytes in a function, and may have 1048576",
    );
    check_passes(&with_body(&long(1 << 20)));
}

#[test]
fn elements_of_segments_are_added_up() {
    let segment = |elements: u64| {
        let functions = vec![0; usize::try_from(elements).unwrap()];
        [vec![0, 0x41, 0, 0x0b], number(elements), functions].concat()
    };
    let with = |elements: &[u64]| {
        let segments: Vec<_> = elements.iter().map(|count| segment(*count)).collect();
        module(&section(
            9,
            &[number(elements.len() as u64), segments.concat()].concat(),
        ))
    };
    check(
        &with(&[600_000, 399_999]),
        "1000001 elements in segments, and may have 1000000",
    );
    check_passes(&with(&[600_000, 399_998]));
}

#[test]
fn data_is_added_up() {
    const LIMIT: usize = 64 << 20;
    let segment = |bytes: usize| {
        let place = vec![0, 0x41, 0, 0x0b];
        [place, with_length(&vec![0; bytes])].concat()
    };
    let with = |bytes: [usize; 2]| {
        let segments = bytes.map(segment).concat();
        module(&section(11, &[number(2), segments].concat()))
    };
    check(
        &with([LIMIT / 2, LIMIT / 2 + 1]),
        "67108865 bytes of data, and may have 67108864",
    );
    check_passes(&with([LIMIT / 2, LIMIT / 2]));
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: usize| {
        let core = module(&[]);
        (0..levels).fold(core, |inner, _| component(&section(4, &inner)))
    };
    check(&nested(8), "9 levels of nested components, and may have 8");
    check_passes(&nested(7));
}

#[test]
fn nested_parts_are_bounded() {
    let empty = section(4, b"\0asm\x0d\0\x01\0");
    check(
        &component(&empty.repeat(65)),
        "65 nested components, and may have 64",
    );
    check_passes(&component(&empty.repeat(64)));
    let core = section(1, b"\0asm\x01\0\0\0");
    check(
        &component(&core.repeat(65)),
        "65 core modules, and may have 64",
    );
    check_passes(&component(&core.repeat(64)));
}

#[test]
fn a_component_says_what_it_starts_with() {
    let bytes = wat::parse_str(
        r#"(component
            (core module (memory 3)) (core module (memory 4)) (instance $i)
            (export "portcullis:provider/provider@0.1.0" (instance $i))
            (export "portcullis:provider/actions@0.1.0" (instance $i))
            (export "vendor:extra/anything@3.0.0" (instance $i)))"#,
    );
    let inspection = inspect(&bytes.unwrap(), 1 << 20).unwrap();
    assert_eq!(inspection.initial_memory_bytes, 7 << 16);
    let exports: Vec<_> = inspection.exports.iter().map(String::as_str).collect();
    assert_eq!(exports, ["actions", "provider"]);
}

#[test]
fn what_follows_a_component_belongs_to_it_or_is_refused() {
    let bytes = wat::parse_str(
        r#"(component (instance $i)
            (export "portcullis:provider/provider@0.1.0" (instance $i))
            (export "portcullis:provider/actions@0.1.0" (instance $i)))"#,
    );
    let bytes = bytes.unwrap();
    assert!(inspect(&bytes, 1 << 20).is_ok());
    for tail in [
        b"\0".as_slice(),
        b"garbage",
        &[0xff; 100],
        &bytes,
        &[0; 1000],
    ] {
        let error = inspect(&[&bytes, tail].concat(), 1 << 20).unwrap_err();
        assert!(matches!(error, InspectError::NotAComponent(_)), "{error}");
    }
    // A section that says nothing is what signatures are kept in.
    let custom = section(0, &[with_length(b"note"), b"anything".to_vec()].concat());
    assert!(inspect(&[bytes, custom].concat(), 1 << 20).is_ok());
}
