//! A snapshot as a flat row of named numbers: what serde tells of it, without building a text or a tree.

use std::fmt;

use redial::Snapshot;
use serde::ser::{self, Serialize, Serializer};

/// A point in time that never comes.
pub(crate) const NEVER: i64 = i64::MAX;
/// A point in time before all others.
pub(crate) const EVER: i64 = i64::MIN;
/// Where an option is none.
pub(crate) const NONE: i64 = i64::MIN + 1;

/// Each number of the snapshot under the name of its field, times and spans in microseconds. An enum gives its variant's
/// number first. What is only counted or reported is not looked at.
pub(crate) fn fields(snapshot: &Snapshot) -> Vec<(&'static str, i64)> {
    let mut row = Row { name: "", fields: Vec::with_capacity(48) };
    snapshot.serialize(&mut row).unwrap();
    row.fields
}

struct Row {
    name: &'static str,
    fields: Vec<(&'static str, i64)>,
}

impl Row {
    fn push(&mut self, number: i64) -> Result<(), Never> {
        self.fields.push((self.name, number));
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Never> {
        if matches!(name, "accounts" | "cause" | "raw") {
            return Ok(());
        }
        self.name = name;
        value.serialize(self)
    }
}

/// No snapshot has such a value; if one gets it, the search is to say so.
fn unknown(what: &str) -> ! {
    panic!("a snapshot with {what}: teach the key of the search what it means")
}

impl Serializer for &mut Row {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = Self;
    type SerializeTuple = ser::Impossible<(), Never>;
    type SerializeTupleStruct = ser::Impossible<(), Never>;
    type SerializeTupleVariant = ser::Impossible<(), Never>;
    type SerializeMap = ser::Impossible<(), Never>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn serialize_bool(self, value: bool) -> Result<(), Never> {
        self.push(value.into())
    }
    fn serialize_i8(self, _: i8) -> Result<(), Never> {
        unknown("an i8")
    }
    fn serialize_i16(self, _: i16) -> Result<(), Never> {
        unknown("an i16")
    }
    fn serialize_i32(self, _: i32) -> Result<(), Never> {
        unknown("an i32")
    }
    /// Whole milliseconds, or the smoothed latency's own unit.
    fn serialize_i64(self, value: i64) -> Result<(), Never> {
        self.push(if self.name == "smoothed" { value } else { value * 1000 })
    }
    fn serialize_u8(self, _: u8) -> Result<(), Never> {
        unknown("a u8")
    }
    fn serialize_u16(self, _: u16) -> Result<(), Never> {
        unknown("a u16")
    }
    fn serialize_u32(self, value: u32) -> Result<(), Never> {
        self.push(value.into())
    }
    /// Whole milliseconds; ids, the growing delay and the state of the random numbers are plain.
    fn serialize_u64(self, value: u64) -> Result<(), Never> {
        let plain =
            matches!(self.name, "micros" | "fraction" | "rng" | "connection" | "lastConnection" | "ping" | "lastPing");
        self.push(if plain { i64::from_ne_bytes(value.to_ne_bytes()) } else { i64::try_from(value * 1000).unwrap() })
    }
    /// Milliseconds with decimals.
    #[allow(clippy::cast_possible_truncation)]
    fn serialize_f64(self, millis: f64) -> Result<(), Never> {
        self.push((millis * 1000.0).round() as i64)
    }
    fn serialize_f32(self, _: f32) -> Result<(), Never> {
        unknown("an f32")
    }
    fn serialize_char(self, _: char) -> Result<(), Never> {
        unknown("a char")
    }
    fn serialize_str(self, word: &str) -> Result<(), Never> {
        self.push(match word {
            "ever" => EVER,
            "never" => NEVER,
            _ => unknown(word),
        })
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<(), Never> {
        unknown("bytes")
    }
    fn serialize_none(self) -> Result<(), Never> {
        self.push(NONE)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Never> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Never> {
        unknown("a unit")
    }
    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Never> {
        unknown(name)
    }
    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<(), Never> {
        self.push(index.into())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Never> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        self.push(index.into())?;
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Never> {
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Never> {
        unknown("a tuple")
    }
    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Never> {
        unknown(name)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Never> {
        unknown(variant)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Never> {
        unknown("a map")
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Never> {
        Ok(self)
    }
    fn serialize_struct_variant(self, _: &'static str, index: u32, _: &'static str, _: usize) -> Result<Self, Never> {
        self.push(index.into())?;
        Ok(self)
    }
}

impl ser::SerializeSeq for &mut Row {
    type Ok = ();
    type Error = Never;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Never> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Never> {
        Ok(())
    }
}

impl ser::SerializeStruct for &mut Row {
    type Ok = ();
    type Error = Never;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Never> {
        self.field(name, value)
    }
    fn end(self) -> Result<(), Never> {
        Ok(())
    }
}

impl ser::SerializeStructVariant for &mut Row {
    type Ok = ();
    type Error = Never;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Never> {
        self.field(name, value)
    }
    fn end(self) -> Result<(), Never> {
        Ok(())
    }
}

/// Writing into memory does not fail.
#[derive(Debug)]
pub(crate) struct Never;

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value refused to be serialised")
    }
}

impl std::error::Error for Never {}

impl ser::Error for Never {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
