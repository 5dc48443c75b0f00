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
    /// Asks for every person who has an address, as many as a notice has readers at most.
    ///
    /// # Errors
    /// Why nobody would be served.
    pub async fn rehearse(&self) -> Result<Vec<Rehearsed>, Verdict> {
        let persons = self.context.readers.persons.keys();
        let addresses = persons.filter_map(|id| compose::address_of(id, &self.context));
        let readers: Vec<Address> = addresses.take(compose::READERS).collect();
        let asked = timeout(DEADLINE, self.ask(readers)).await;
        let asked = asked.unwrap_or_else(|_late| Err(Trouble::Later("timeout", no_answer())));
        asked.map_err(Trouble::verdict)
    }

    async fn ask(&self, readers: Vec<Address>) -> Result<Vec<Rehearsed>, Trouble> {
        let mut session = Session::open(&self.target).await?;
        session.begin(&self.target.from).await?;
        let mut said = Vec::new();
        for reader in readers {
            let answer = match session.name(reader.clone()).await {
                Ok(answer) => Ok(answer),
                Err(Trouble::Reader(why) | Trouble::PutOff(why)) => Err(why),
                Err(trouble) => return Err(trouble),
            };
            said.push((reader.to_string(), answer));
        }
        session.withdraw().await?;
        session.close().await;
        Ok(said)
    }
}
