//! What a database says of itself, for people: what happened and what to do in both languages, its own words behind.

use sluis_core::words;
use sluis_core::words::Words;

/// An error of the database, or of the way to it.
pub(super) fn words(error: &sqlx::Error) -> Words {
    let what = match error {
        sqlx::Error::Database(said) => of_code(said.code().as_deref().unwrap_or_default()),
        sqlx::Error::Io(error) => {
            words!("{}: kijk of ze draait", "{}: look whether it runs"; Words::io(error))
        }
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => words!(
            "ze antwoordt niet: kijk of ze draait, en herstart dan deze kern",
            "it does not answer: look whether it runs, then restart this core"
        ),
        sqlx::Error::Tls(_) => words!(
            "de beveiligde verbinding lukt niet: kijk de URL en het certificaat na",
            "the connection cannot be secured: look at the URL and the certificate"
        ),
        sqlx::Error::Configuration(_) => words!(
            "de plaats is geen goede URL: kijk naar `store` in sluis.toml",
            "the place is no good URL: look at `store` in sluis.toml"
        ),
        _ => unexpected(),
    };
    words!("de databank: {} («{error}»)", "the store: {} (\"{error}\")"; what)
}

/// SQLite names its error by a number, of which the last byte counts, PostgreSQL by five characters (SQLSTATE).
fn of_code(code: &str) -> Words {
    let number = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|code| code & 0xff);
    match (number, code) {
        (Some(13), _) | (_, "53100") => words!(
            "haar schijf is vol: maak ruimte, dan gaat het vanzelf verder",
            "its disk is full: make room, then it goes on by itself"
        ),
        (Some(8), _) | (_, "25006") => words!(
            "er kan niets in geschreven worden: kijk de rechten en de schijf na",
            "nothing can be written into it: look at its rights and the disk"
        ),
        (Some(10), _) | (_, "58030") => {
            words!("haar schijf geeft een fout: kijk die na", "its disk gives an error: look at it")
        }
        (Some(11 | 26), _) | (_, "XX001" | "XX002") => words!(
            "ze is beschadigd: stop deze kern, bewaar ze, en zet een back-up terug",
            "it is damaged: stop this core, keep it, and put a backup in its place"
        ),
        (Some(14), _) => words!(
            "ze kan niet geopend worden: kijk naar haar map en de rechten",
            "it cannot be opened: look at its folder and its rights"
        ),
        (Some(5 | 6), _) | (_, "40001" | "40P01" | "55P03") => words!(
            "een ander programma houdt ze vast: het wordt opnieuw geprobeerd",
            "another program holds it: it is tried again"
        ),
        (_, "28000" | "28P01" | "3D000" | "42501") => words!(
            "ze laat deze kern niet binnen: kijk de naam, het wachtwoord en de rechten na",
            "it does not let this core in: look at the name, the password and the rights"
        ),
        (_, "53300" | "57P01" | "57P02" | "57P03") => words!(
            "ze kan even niet: het wordt opnieuw geprobeerd",
            "it cannot just now: it is tried again"
        ),
        _ => unexpected(),
    }
}

fn unexpected() -> Words {
    words!(
        "ze weigert iets waar niets op voorzien is: bewaar het log, en vraag hulp",
        "it refuses something that is not provided for: keep the log, and ask for help"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_database_says_is_told_in_both_languages_with_its_own_words_behind() {
        let none = sqlx::any::AnyPoolOptions::new();
        sqlx::any::install_default_drivers();
        let pool = none.max_connections(1).connect("sqlite::memory:").await.unwrap();
        let refused = sqlx::query("SELECT nothing FROM nowhere").execute(&pool).await.unwrap_err();
        let own = refused.to_string();
        let told = words(&refused);
        assert!(told.nl.starts_with("de databank: ze weigert iets") && told.nl.contains(&own));
        assert!(told.en.starts_with("the store: it refuses something") && told.en.contains(&own));
        sqlx::query("PRAGMA query_only = 1").execute(&pool).await.unwrap();
        let refused = sqlx::query("CREATE TABLE x (y)").execute(&pool).await.unwrap_err();
        assert!(words(&refused).nl.contains("er kan niets in geschreven worden"), "{refused:?}");
        let away = sqlx::Error::Io(std::io::Error::from_raw_os_error(111));
        assert!(words(&away).nl.starts_with("de databank: daar luistert niemand (ECONNREFUSED): "));
    }

    #[test]
    fn a_code_of_either_database_is_known() {
        // SQLite: plain and extended; PostgreSQL: SQLSTATE.
        for (code, nl) in [
            ("13", "schijf is vol"),
            ("53100", "schijf is vol"),
            ("2570", "geeft een fout"),
            ("778", "geeft een fout"),
            ("1032", "niets in geschreven"),
            ("267", "beschadigd"),
            ("261", "houdt ze vast"),
            ("40P01", "houdt ze vast"),
            ("57P03", "even niet"),
            ("28P01", "niet binnen"),
            ("23505", "waar niets op voorzien"),
            ("", "waar niets op voorzien"),
        ] {
            let told = of_code(code);
            assert!(told.nl.contains(nl) && told.nl != told.en, "{code}: {told:?}");
        }
    }
}
