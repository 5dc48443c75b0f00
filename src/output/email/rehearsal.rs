//! Would the relay take mail to those who are told by it? For `forewarn notify test`, where nobody is to be woken: the
//! whole way up to the mail itself, and then `RSET`.

use lettre::Address;
use tokio::time::timeout;

use super::session::{Session, Trouble};
use super::{DEADLINE, Email, compose, no_answer};
use crate::output::verdict::Verdict;

/// A reader, and what the relay says of mail to them; `Err`: what it says against it.
type Rehearsed = (String, Result<String, String>);

impl Email {
    /// Asks for every person who has an address, as many as a notice has readers at most. Where the conversation ends
    /// before all were asked for, what was said until then counts, and the last of the answers is how it ended.
    ///
    /// # Errors
    /// Why nobody would be served.
    pub async fn rehearse(&self) -> Result<Vec<Rehearsed>, Verdict> {
        let persons = self.context.readers.persons.keys();
        let addresses = persons.filter_map(|id| compose::address_of(id, &self.context));
        let readers: Vec<Address> = addresses.take(compose::READERS).collect();
        let mut said = Vec::new();
        let asked = timeout(DEADLINE, self.ask(&readers, &mut said)).await;
        let asked = asked.unwrap_or_else(|_late| Err(Trouble::Later("timeout", no_answer())));
        let Err(trouble) = asked else {
            return Ok(said);
        };
        let last = readers.get(said.len()).filter(|_| !said.is_empty());
        let Some(last) = last else {
            return Err(trouble.verdict());
        };
        let why = match readers.len() - said.len() - 1 {
            0 => trouble.why().to_owned(),
            left => format!("{}; {left} more were not asked for", trouble.why()),
        };
        said.push((last.to_string(), Err(why)));
        Ok(said)
    }

    /// Of each reader what is said, as soon as it is.
    async fn ask(&self, readers: &[Address], said: &mut Vec<Rehearsed>) -> Result<(), Trouble> {
        let mut session = Session::open(&self.target).await?;
        session.begin(&self.target.from).await?;
        for reader in readers {
            let answer = match session.name(reader.clone()).await {
                Ok(answer) => Ok(answer),
                Err(Trouble::Reader(why) | Trouble::PutOff(why)) => Err(why),
                Err(trouble) => return Err(trouble),
            };
            said.push((reader.to_string(), answer));
        }
        // Without a mail there is nothing that a relay that does not hear this could deliver.
        if session.withdraw().await.is_ok() {
            session.close().await;
        }
        Ok(())
    }
}
