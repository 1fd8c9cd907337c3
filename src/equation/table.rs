//! Tables by id. Ids are positions without gaps, so a list finds sooner than a map what is known of one.

use std::marker::PhantomData;

/// A position in a table of a [`super::Context`].
pub(crate) trait Id: Copy {
    /// The position.
    fn position(self) -> usize;
}

/// What is known of some tensors, indices or expressions of a context.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table<I, T> {
    entries: Vec<Option<T>>,
    of: PhantomData<I>,
}

impl<I, T> Default for Table<I, T> {
    fn default() -> Self {
        Self { entries: Vec::new(), of: PhantomData }
    }
}

impl<I: Id, T> Table<I, T> {
    /// What is known of this one.
    pub(crate) fn get(&self, id: I) -> Option<&T> {
        match self.entries.get(id.position()) {
            Some(Some(known)) => Some(known),
            _ => None,
        }
    }

    /// Whether anything is known of this one.
    pub(crate) fn contains(&self, id: I) -> bool {
        matches!(self.entries.get(id.position()), Some(Some(_)))
    }

    /// Lets this be known, in place of what was.
    pub(crate) fn insert(&mut self, id: I, value: T) {
        let position = id.position();
        while self.entries.len() <= position {
            self.entries.push(None);
        }
        self.entries[position] = Some(value);
    }

    /// Lets this be known where nothing is.
    pub(crate) fn insert_first(&mut self, id: I, value: T) {
        if !self.contains(id) {
            self.insert(id, value);
        }
    }
}

impl<I: Id, T> Extend<(I, T)> for Table<I, T> {
    fn extend<E: IntoIterator<Item = (I, T)>>(&mut self, entries: E) {
        for (id, value) in entries {
            self.insert(id, value);
        }
    }
}

impl<I: Id, T> FromIterator<(I, T)> for Table<I, T> {
    fn from_iter<E: IntoIterator<Item = (I, T)>>(entries: E) -> Self {
        let mut table = Self::default();
        table.extend(entries);
        table
    }
}
