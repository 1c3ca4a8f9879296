//! Finds the password of a server outside of its URL, as libpq does: the variable `PGPASSWORD`, then the password file.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the password for a user of a database at `host`.
pub fn find(host: &str, port: u16, database: &str, user: &str) -> Option<Vec<u8>> {
    if let Some(password) = env::var_os("PGPASSWORD").filter(|password| !password.is_empty()) {
        return Some(password.into_encoded_bytes());
    }
    let file = env::var_os("PGPASSFILE").map(PathBuf::from);
    let file = file.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(FILE)))?;
    if is_open_to_others(&file) {
        return None;
    }
    let text = fs::read_to_string(file).ok()?;
    in_file(&text, [host, &port.to_string(), database, user]).map(String::into_bytes)
}

/// Name of the password file in the home of its user.
const FILE: &str = ".pgpass";

/// Returns whether others may read the file, which libpq does not use then.
#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// Returns the password of the first line that fits: `host:port:database:user:password`.
fn in_file(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [place @ .., password] = fields.as_slice() else { return None };
        let fits = place.len() == wanted.len()
            && place.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        fits.then(|| password.clone())
    })
}

/// Returns the fields of a line. A backslash takes the special meaning from a colon or a backslash.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let literal = match character {
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                continue;
            }
            '\\' => characters.next(),
            other => Some(other),
        };
        if let (Some(field), Some(literal)) = (fields.last_mut(), literal) {
            field.push(literal);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let text = "# a comment\nother:5432:d:u:no\nh:*:d:u:p\\:w\\\\d:x\n*:*:*:*:last\n";
        assert_eq!(in_file(text, ["h", "1", "d", "u"]).as_deref(), Some("p:w\\d:x"));
        assert_eq!(in_file(text, ["i", "1", "d", "u"]).as_deref(), Some("last"));
        assert_eq!(in_file("h:1:d:u", ["h", "1", "d", "u"]), None);
    }
}
