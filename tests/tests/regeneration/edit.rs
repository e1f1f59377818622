//! Editing the blocking API, by its text alone.

use crate::method::Method;
use crate::random::Random;
use crate::scratch::Scratch;

const BLOCK: &str = "impl Connection {\n";

/// Adds a method at the head of the annotated `impl Connection`; the file that was edited.
pub(crate) fn add_method(scratch: &Scratch, method: &Method) -> String {
    let (path, text) = find(scratch, |text| annotated_block(text).is_some());
    let at = annotated_block(&text).expect("it was found above");
    let (before, behind) = text.split_at(at);
    scratch.write(&path, format!("{before}{}{behind}", method.source()).as_bytes());
    path
}

/// Puts one method in place of another; the file that was edited.
pub(crate) fn replace_method(scratch: &Scratch, old: &Method, new: &Method) -> String {
    let (path, text) = find(scratch, |text| text.contains(&old.source()));
    scratch.write(&path, text.replacen(&old.source(), &new.source(), 1).as_bytes());
    path
}

/// Removes a variant of the error enum; the exception that it became in Python.
pub(crate) fn remove_an_error(scratch: &Scratch, random: &mut Random) -> String {
    let (path, text) = find(scratch, |text| {
        text.contains("pub enum Error {") && text.contains("exception = \"")
    });
    let start = text.find("pub enum Error {").expect("it was found above");
    let exceptions: Vec<(usize, &str)> = text[start..]
        .match_indices("exception = \"")
        .filter_map(|(at, key)| {
            let name = &text[start + at + key.len()..];
            Some((start + at, name.split_once('"')?.0))
        })
        .collect();
    let (at, exception) = *random.choose(&exceptions);
    // A variant goes from its documentation to the line that ends it: `    Name(…),`.
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut line = text[..at].matches('\n').count();
    let mut last = line;
    while !lines[last].starts_with(' ') || lines[last].trim_start().starts_with(['#', '/']) {
        last += 1;
    }
    while lines[line - 1].trim_start().starts_with(['#', '/']) {
        line -= 1;
    }
    let edited = [&lines[..line], &lines[last + 1..]].concat().concat();
    scratch.write(&path, edited.as_bytes());
    exception.to_owned()
}

/// Where the body of the annotated block begins.
fn annotated_block(text: &str) -> Option<usize> {
    text.match_indices(BLOCK).find_map(|(at, _)| {
        let attribute = text[..at].lines().next_back()?;
        (attribute.starts_with("#[async_proxy") && !attribute.contains("extend")).then_some(at + BLOCK.len())
    })
}

fn find(scratch: &Scratch, fits: impl Fn(&str) -> bool) -> (String, String) {
    let sources = scratch
        .files()
        .into_keys()
        .filter(|path| path.starts_with("driver/src/") && path.ends_with(".rs"));
    sources
        .map(|path| (path.clone(), scratch.read(&path)))
        .find(|(_, text)| fits(text))
        .expect("the sources of the driver have what is to be edited")
}
