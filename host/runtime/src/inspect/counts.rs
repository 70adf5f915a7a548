//! Adds up what a component is made of, and stops where a bound is passed.

use wasmparser::{BinaryReaderError, ElementItems, FunctionBody, Payload};

use super::bounds::{
    BODY_BYTES, Bound, COMPONENTS, CORE_INSTANCES, CORE_MODULES, DATA_BYTES, DATA_SEGMENTS,
    ELEMENTS, EXPORTS, FUNCTIONS, GLOBALS, IMPORTS, INITIAL_MEMORY_BYTES, INSTANCES, JOINTS,
    LOCALS, MEMORIES, NESTING, TABLE_ELEMENTS, TABLES, TYPES,
};
use super::{InspectError, malformed};

/// Bytes of a page of linear memory. Other sizes are a feature that is off.
const PAGE_BYTES: u64 = 64 << 10;

/// Sums over the whole component, nested parts included.
#[derive(Default)]
pub(super) struct Counts {
    depth: u64,
    core_modules: u64,
    components: u64,
    core_instances: u64,
    instances: u64,
    functions: u64,
    memories: u64,
    initial_memory_bytes: u64,
    tables: u64,
    table_elements: u64,
    elements: u64,
    data_segments: u64,
    data_bytes: u64,
    types: u64,
    imports: u64,
    exports: u64,
    globals: u64,
    joints: u64,
}

impl Counts {
    /// How many modules and components lie around what comes next.
    pub(super) const fn depth(&self) -> u64 {
        self.depth
    }

    /// The sum of what memories start with.
    pub(super) const fn initial_memory_bytes(&self) -> u64 {
        self.initial_memory_bytes
    }

    /// Adds one section.
    ///
    /// Lengths are as the section gives them; one that lies is either over a
    /// bound or found by the validation that follows.
    pub(super) fn count(&mut self, payload: &Payload<'_>) -> Result<(), InspectError> {
        match payload {
            Payload::ModuleSection { .. } => {
                add(&mut self.core_modules, 1_u64, &CORE_MODULES)?;
                add(&mut self.depth, 1_u64, &NESTING)
            }
            Payload::ComponentSection { .. } => {
                add(&mut self.components, 1_u64, &COMPONENTS)?;
                add(&mut self.depth, 1_u64, &NESTING)
            }
            Payload::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(())
            }
            Payload::InstanceSection(section) => {
                add(&mut self.core_instances, section.count(), &CORE_INSTANCES)
            }
            Payload::ComponentInstanceSection(section) => {
                add(&mut self.instances, section.count(), &INSTANCES)
            }
            Payload::TypeSection(section) => add(&mut self.types, section.count(), &TYPES),
            Payload::CoreTypeSection(section) => add(&mut self.types, section.count(), &TYPES),
            Payload::ComponentTypeSection(section) => add(&mut self.types, section.count(), &TYPES),
            Payload::ImportSection(section) => add(&mut self.imports, section.count(), &IMPORTS),
            Payload::ComponentImportSection(section) => {
                add(&mut self.imports, section.count(), &IMPORTS)
            }
            Payload::ExportSection(section) => add(&mut self.exports, section.count(), &EXPORTS),
            Payload::ComponentExportSection(section) => {
                add(&mut self.exports, section.count(), &EXPORTS)
            }
            Payload::GlobalSection(section) => add(&mut self.globals, section.count(), &GLOBALS),
            Payload::ComponentAliasSection(section) => {
                add(&mut self.joints, section.count(), &JOINTS)
            }
            Payload::ComponentCanonicalSection(section) => {
                add(&mut self.joints, section.count(), &JOINTS)
            }
            Payload::FunctionSection(section) => {
                add(&mut self.functions, section.count(), &FUNCTIONS)
            }
            Payload::CodeSectionEntry(body) => check_body(body),
            _ => self.count_space(payload),
        }
    }

    /// Adds one section of what takes up space when an instance is made.
    fn count_space(&mut self, payload: &Payload<'_>) -> Result<(), InspectError> {
        match payload {
            Payload::MemorySection(section) => {
                add(&mut self.memories, section.count(), &MEMORIES)?;
                for memory in section.clone() {
                    let bytes = read(memory)?.initial.saturating_mul(PAGE_BYTES);
                    add(&mut self.initial_memory_bytes, bytes, &INITIAL_MEMORY_BYTES)?;
                }
            }
            Payload::TableSection(section) => {
                add(&mut self.tables, section.count(), &TABLES)?;
                for table in section.clone() {
                    let elements = read(table)?.ty.initial;
                    add(&mut self.table_elements, elements, &TABLE_ELEMENTS)?;
                }
            }
            Payload::ElementSection(section) => {
                for element in section.clone() {
                    let elements = match read(element)?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    };
                    // One for the segment itself, which may be empty.
                    add(&mut self.elements, u64::from(elements) + 1, &ELEMENTS)?;
                }
            }
            Payload::DataSection(section) => {
                add(&mut self.data_segments, section.count(), &DATA_SEGMENTS)?;
                for data in section.clone() {
                    let bytes = read(data)?.data.len();
                    add(&mut self.data_bytes, bytes as u64, &DATA_BYTES)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn check_body(body: &FunctionBody<'_>) -> Result<(), InspectError> {
    let range = body.range();
    add(&mut 0, range.end.saturating_sub(range.start), &BODY_BYTES)?;
    let mut locals = 0;
    for group in read(body.get_locals_reader())? {
        let (count, _type) = read(group)?;
        add(&mut locals, count, &LOCALS)?;
    }
    Ok(())
}

fn read<T>(part: Result<T, BinaryReaderError>) -> Result<T, InspectError> {
    part.map_err(malformed)
}

fn add(sum: &mut u64, more: impl Into<u64>, bound: &Bound) -> Result<(), InspectError> {
    *sum = sum.saturating_add(more.into());
    if *sum <= bound.limit {
        return Ok(());
    }
    Err(InspectError::TooMuch {
        what: bound.what.into(),
        found: *sum,
        limit: bound.limit,
    })
}
