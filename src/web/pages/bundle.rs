//! Joins the modules of a page into one file, and its style sheets into another.
//!
//! The sources are modules that a browser runs as they are. It would request each of them, and on a slow line a hundred
//! requests take longer than the code itself. So each module becomes a function that returns its exports, in the order
//! in which they import each other. There are no import cycles, so this order always exists. The forms of `import` and
//! `export` that the sources use are known; a file with any other is sent as it is, and its imports with it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// `import { a, b as c } from './path.js';`
static IMPORT: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?m)^import \{([^}]*)\} from '(\.[^']+)';$"));

/// The start of an exported declaration.
static EXPORT: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?m)^export ((?:async function|function|class|const) (\w+))"));

/// An `import` or `export` in a form that is not supported.
static OTHER: LazyLock<Regex> = LazyLock::new(|| regex(r"(?m)^(?:import|export)\b"));

/// `@import './path.css';`
static STYLE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?m)^@import '(\.[^']+)';$"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is valid")
}

/// A module and all that it imports, as one. `None` if one of them is missing or has an `import` or `export` of another
/// form.
pub(super) fn bundled_script(entry: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut bundle = Bundle {
        entry,
        read,
        names: HashMap::new(),
        code: String::new(),
    };
    let main = bundle.module(entry)?;
    // In a function, too, so that its constants do not hide globals of the same name from the modules. `await` may be
    // in it.
    Some(format!(
        "{}await (async () => {{\n{}\n}})();\n",
        bundle.code, main.code
    ))
}

/// A style sheet with those that it imports.
pub(super) fn bundled_style(entry: &str, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let text = read(entry)?;
    let imported = |found: &Captures<'_>| read(&joined(entry, &found[1])).unwrap_or_default();
    Some(STYLE.replace_all(&text, imported).into_owned())
}

struct Bundle<'a, R> {
    entry: &'a str,
    read: R,
    /// The constants that have the exports of the modules so far; none for those whose imports are being added.
    names: HashMap<String, Option<String>>,
    code: String,
}

/// A module without the keywords of modules.
struct Module {
    code: String,
    exports: Vec<String>,
}

impl<R: Fn(&str) -> Option<String>> Bundle<'_, R> {
    /// Reads a module, and adds those that it imports.
    fn module(&mut self, path: &str) -> Option<Module> {
        let source = (self.read)(path)?;
        let mut head = String::new();
        for import in IMPORT.captures_iter(&source) {
            let name = self.imported(&joined(path, &import[2]))?;
            let names = import[1].replace(" as ", ": ");
            writeln!(head, "const {{{names}}} = {name};").ok()?;
        }
        let body = IMPORT.replace_all(&source, "");
        let exports = EXPORT.captures_iter(&body).map(|found| found[2].to_owned());
        let exports = exports.collect();
        let body = EXPORT.replace_all(&body, "$1");
        if OTHER.is_match(&body) {
            return None;
        }
        let url = format!(
            "new URL('{}', import.meta.url).href",
            relative(self.entry, path)
        );
        let body = body.replace("import.meta.url", &url);
        Some(Module {
            code: head + &body,
            exports,
        })
    }

    /// The constant with the exports of a module, which is added unless it is there.
    fn imported(&mut self, path: &str) -> Option<String> {
        if let Some(name) = self.names.get(path) {
            return name.clone();
        }
        self.names.insert(path.to_owned(), None);
        let name = format!("$module{}", self.names.len());
        let Module { code, exports } = self.module(path)?;
        let exports = exports.join(", ");
        let module = format!("const {name} = (() => {{\n{code}\nreturn {{{exports}}};\n}})();\n");
        self.code.push_str(&module);
        self.names.insert(path.to_owned(), Some(name.clone()));
        Some(name)
    }
}

/// The path of `other`, which is relative to the file `path`.
fn joined(path: &str, other: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in other.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The path `to`, relative to the file `from`.
fn relative(from: &str, to: &str) -> String {
    let up = from.matches('/').count();
    "../".repeat(up) + to
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> Option<String> {
        let text = match path {
            "js/main.js" => {
                "import { b as c } from './x/b.js';\nimport { a } from './a.js';\nrun(a, c);\n"
            }
            "js/a.js" => "export const a = import.meta.url;\nexport function unused() {}\n",
            "js/x/b.js" => "import { a } from '../a.js';\nexport class b extends a {}\n",
            "js/cycle.js" => "import { cycle } from './cycle.js';\nexport const cycle = 1;\n",
            "js/star.js" => "import * as all from './a.js';\n",
            "js/lost.js" => "import { a } from './nowhere.js';\n",
            "main.css" => "@import './js/a.css';\nb {}\n",
            "js/a.css" => "a {}",
            _ => return None,
        };
        Some(text.to_owned())
    }

    #[test]
    fn each_module_is_there_once_and_after_what_it_imports() {
        let bundle = bundled_script("js/main.js", read).unwrap();
        let lines: Vec<&str> = bundle.lines().filter(|line| !line.is_empty()).collect();
        let expected = [
            "const $module2 = (() => {",
            "const a = new URL('../js/a.js', import.meta.url).href;",
            "function unused() {}",
            "return {a, unused};",
            "})();",
            "const $module1 = (() => {",
            "const { a } = $module2;",
            "class b extends a {}",
            "return {b};",
            "})();",
            "await (async () => {",
            "const { b: c } = $module1;",
            "const { a } = $module2;",
            "run(a, c);",
            "})();",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_cannot_be_joined_is_left_alone() {
        for entry in ["js/cycle.js", "js/star.js", "js/lost.js"] {
            assert_eq!(bundled_script(entry, read), None, "{entry}");
        }
    }

    #[test]
    fn style_sheets_are_joined() {
        assert_eq!(bundled_style("main.css", read).unwrap(), "a {}\nb {}\n");
    }
}
