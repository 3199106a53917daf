//! Rows of any table by the names of their columns: what is kept twice and what is salvaged must
//! survive a change of the schema, so it is moved without knowing it.

use rusqlite::{
    Connection, Row, ToSql, params_from_iter,
    types::{Value, ValueRef},
};

use super::asking::{all, first};

/// One row: its columns by name, in the table's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct GenericRow(pub(super) Vec<(String, Value)>);

impl GenericRow {
    /// The value of a column, where there is such a column.
    pub(super) fn column(&self, name: &str) -> Option<&Value> {
        let found = self.0.iter().find(|(column, _)| column == name);
        found.map(|(_, value)| value)
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        match self.column(name) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.column(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn blob(&self, name: &str) -> Option<&[u8]> {
        match self.column(name) {
            Some(Value::Blob(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Changes a column that is there.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        if let Some((_, old)) = self.0.iter_mut().find(|(column, _)| column == name) {
            *old = value;
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(column, _)| column != name);
    }
}

/// Reads the whole row under the cursor.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<GenericRow> {
    let statement: &rusqlite::Statement<'_> = row.as_ref();
    let columns = (0..statement.column_count()).map(|at| {
        let name = statement.column_name(at)?.to_owned();
        Ok((name, owned(row.get_ref(at)?)))
    });
    columns.collect::<rusqlite::Result<_>>().map(GenericRow)
}

/// A text that is none comes as its bytes: a damaged row is still read, and told by its type.
fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => Value::Blob(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

/// The row of a table whose column has that value.
pub(super) fn one(
    db: &Connection,
    table: &str,
    column: &str,
    value: &dyn ToSql,
) -> rusqlite::Result<Option<GenericRow>> {
    let sql = format!("SELECT * FROM \"{table}\" WHERE \"{column}\" = ?1");
    first(db, &sql, &[value], read)
}

/// The columns of a table's primary key, in its order; none where there is no such table.
pub(super) fn key_columns(db: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    named(
        db,
        "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk",
        table,
    )
}

/// Inserts the row, without the columns that the table does not have. Whether it was taken.
pub(super) fn insert(db: &Connection, table: &str, row: &GenericRow) -> rusqlite::Result<bool> {
    let known = named(db, "SELECT name FROM pragma_table_info(?1)", table)?;
    let kept: Vec<&(String, Value)> = row
        .0
        .iter()
        .filter(|(name, _)| known.contains(name))
        .collect();
    if kept.is_empty() {
        return Ok(false);
    }
    let names: Vec<String> = kept.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let marks = vec!["?"; kept.len()].join(", ");
    let sql = format!(
        "INSERT OR REPLACE INTO \"{table}\" ({}) VALUES ({marks})",
        names.join(", ")
    );
    let values = params_from_iter(kept.iter().map(|(_, value)| value));
    match db.prepare_cached(&sql)?.execute(values) {
        Ok(_) => Ok(true),
        // A row that is damaged breaks a rule of the schema: it is left out, the others are not.
        Err(rusqlite::Error::SqliteFailure(failure, _))
            if failure.code == rusqlite::ErrorCode::ConstraintViolation =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn named(db: &Connection, sql: &str, table: &str) -> rusqlite::Result<Vec<String>> {
    all(db, sql, &[&table], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Connection {
        let db = Connection::open_in_memory().expect("a database");
        db.execute_batch("CREATE TABLE t (k INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT")
            .expect("a table");
        db
    }

    fn row(body: Value) -> GenericRow {
        GenericRow(vec![
            ("k".to_owned(), Value::Integer(1)),
            ("body".to_owned(), body),
            ("gone".to_owned(), Value::Null),
        ])
    }

    #[test]
    fn a_row_comes_back_as_it_was_without_columns_that_are_gone() {
        let db = table();
        assert_eq!(insert(&db, "t", &row(Value::Text("b".into()))), Ok(true));
        let read = one(&db, "t", "k", &1).expect("read").expect("a row");
        assert_eq!((read.integer("k"), read.text("body")), (Some(1), Some("b")));
        assert_eq!(read.column("gone"), None);
        assert_eq!(key_columns(&db, "t"), Ok(vec!["k".to_owned()]));
        assert_eq!(key_columns(&db, "none"), Ok(Vec::new()));
    }

    #[test]
    fn a_row_that_breaks_the_schema_is_left_out() {
        let db = table();
        assert_eq!(insert(&db, "t", &row(Value::Null)), Ok(false));
        assert_eq!(insert(&db, "t", &row(Value::Blob(vec![255]))), Ok(false));
    }
}
