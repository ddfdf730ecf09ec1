//! A page as a browser's parser reads it.

use html5ever::{driver::ParseOpts, parse_document, tendril::TendrilSink as _};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// The document, and what the parser had to repair.
pub(super) struct Dom(RcDom);

impl Dom {
    pub(super) fn parse(html: &str) -> Self {
        Self(parse_document(RcDom::default(), ParseOpts::default()).one(html))
    }

    /// What is not well-formed.
    pub(super) fn errors(&self) -> Vec<String> {
        self.0.errors.borrow().iter().map(|error| error.to_string()).collect()
    }

    /// How many elements of this name there are.
    pub(super) fn count(&self, element: &str) -> usize {
        let mut count = 0;
        self.visit(&mut |node| {
            if let NodeData::Element { name, .. } = &node.data {
                count += usize::from(&*name.local == element);
            }
        });
        count
    }

    /// The values of all attributes of this name.
    pub(super) fn attributes(&self, attribute: &str) -> Vec<String> {
        let mut values = Vec::new();
        self.visit(&mut |node| {
            if let NodeData::Element { attrs, .. } = &node.data {
                let attrs = attrs.borrow();
                let named = attrs.iter().filter(|attr| &*attr.name.local == attribute);
                values.extend(named.map(|attr| attr.value.to_string()));
            }
        });
        values
    }

    /// All of its text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.visit(&mut |node| {
            if let NodeData::Text { contents } = &node.data {
                text.push_str(&contents.borrow());
            }
        });
        text
    }

    fn visit(&self, see: &mut impl FnMut(&Handle)) {
        let mut nodes = vec![self.0.document.clone()];
        while let Some(node) = nodes.pop() {
            see(&node);
            nodes.extend(node.children.borrow().iter().rev().cloned());
        }
    }
}
