//! The inbox while somebody sits at it.
//!
//! One loop waits for whatever is first: a key, what the gateway says, Ctrl-C. What
//! is told in between never answers a question: an answer belongs to the question
//! it was typed at, and a request that is gone takes its question with it.

use std::pin::Pin;

use portcullis_core::time::Timestamp;
use serde_json::Value;

use super::super::actions::settled::name;
use super::super::approve;
use super::super::client::Client;
use super::super::console::Console;
use super::super::console::keys::{Pressed, Stopped};
use super::super::decide::waiting::find_in_session;
use super::super::decide::{Decision, Scope, allowed, outcome, send};
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::{Report, field};
use super::entries::{Change, Entries};
use super::menu::{AtList, AtRequest, choices};
use super::news::{self, News};
use super::screen::{Screen, interrupted};
use super::sheet::{Directory, Sheet};
use super::wrap::sentence;

/// Ticks between two looks at what waits.
const TICKS: u32 = 2;

/// What the gateway will say.
type Asked<'a> = Pin<Box<dyn Future<Output = Result<News, Failure>> + Send + 'a>>;

/// What somebody is asked.
enum Question {
    /// Which request.
    Which,
    /// What about this one.
    What(Sheet),
    /// Whether its action may run from now on.
    Always(Sheet, Scope),
    /// Why it is denied.
    Why(Sheet),
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    On,
    Quit,
}

struct Live<'a> {
    client: &'a Client,
    org: &'a str,
    screen: Screen<'a>,
    entries: Entries,
    directory: Directory,
    question: Question,
    /// Whether the gateway answered the last time.
    is_answered: bool,
}

/// Shows what waits, and lets somebody decide until they have enough.
pub(super) async fn run(
    console: &mut Console,
    client: &Client,
    org: &str,
    waiting: Vec<Value>,
) -> Result<Report, Failure> {
    let mut live = Live {
        client,
        org,
        screen: Screen::open(console)?,
        entries: Entries::new(waiting),
        directory: Directory::default(),
        question: Question::Which,
        is_answered: true,
    };
    let ended = live.go_on().await;
    live.screen.leave()?;
    ended.map(|()| Report::default())
}

impl<'a> Live<'a> {
    async fn go_on(&mut self) -> Result<(), Failure> {
        self.which()?;
        let mut asked = self.ask_for_news();
        loop {
            let screen = &mut self.screen;
            let key = tokio::select! {
                key = screen.keys.next() => key,
                () = &mut screen.console.interrupted => return Err(interrupted()),
                news = &mut asked => {
                    self.take(news)?;
                    asked = self.ask_for_news();
                    continue;
                }
            };
            let Some(key) = key else { return Ok(()) };
            match self.screen.press(key)? {
                Pressed::Entered(line) => {
                    if self.answer(&line).await? == Next::Quit {
                        return Ok(());
                    }
                    // What was under way does not know of what was decided.
                    asked = self.ask_for_news();
                }
                Pressed::Stopped(Stopped::Interrupted) => return Err(interrupted()),
                Pressed::Stopped(Stopped::Closed) => return Ok(()),
                Pressed::Nothing | Pressed::Echo(_) | Pressed::Wipe | Pressed::Redraw => {}
            }
        }
    }

    /// Looks after a while.
    fn ask_for_news(&self) -> Asked<'a> {
        let (client, org, known) = (self.client, self.org, self.entries.known());
        let pause = self.screen.console.tick * TICKS;
        Box::pin(async move {
            tokio::time::sleep(pause).await;
            news::ask(client, org, known).await
        })
    }

    /// Tells what is new, above what is being typed.
    fn take(&mut self, news: Result<News, Failure>) -> Result<(), Failure> {
        let news = match news {
            Ok(news) => news,
            // A gateway that restarts is back in a moment.
            Err(failure) if failure.is_passing() => {
                if std::mem::take(&mut self.is_answered) {
                    let waits = "The list stays as it was until the gateway answers again.";
                    let report = Report::default().text(waits).failing(failure);
                    self.screen.tell(&report)?;
                }
                return Ok(());
            }
            Err(failure) => return Err(failure),
        };
        let mut lines = Vec::new();
        if !std::mem::replace(&mut self.is_answered, true) {
            lines.push("The gateway answers again.".to_owned());
        }
        let changes = self.entries.apply(news, self.now());
        let is_lost = self.is_about_one_of(&changes);
        lines.extend(changes.into_iter().map(|change| change.sentence));
        if is_lost {
            lines.push("There is nothing to decide about it any more.".to_owned());
            self.say_all(&lines)?;
            return self.which();
        }
        if lines.is_empty() {
            return Ok(());
        }
        let report = self.sentences(&lines);
        self.screen.tell(&report)
    }

    /// Whether the request that somebody is asked about waits no more.
    fn is_about_one_of(&self, changes: &[Change]) -> bool {
        let number = match &self.question {
            Question::Which => return false,
            Question::What(sheet) | Question::Always(sheet, _) | Question::Why(sheet) => {
                sheet.number
            }
        };
        changes
            .iter()
            .any(|change| change.is_gone && change.number == number)
    }

    async fn answer(&mut self, line: &str) -> Result<Next, Failure> {
        match std::mem::replace(&mut self.question, Question::Which) {
            Question::Which => self.chosen(line).await,
            Question::What(sheet) => self.told(sheet, line).await,
            Question::Always(sheet, scope) => {
                if matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
                    let decision = approval(&sheet, Some(scope));
                    return self.decide(sheet, decision).await;
                }
                self.say("Nothing is decided.")?;
                self.what(sheet)
            }
            Question::Why(sheet) => match line.trim() {
                "." => self.what(sheet),
                reason => {
                    let reason = (!reason.is_empty()).then(|| reason.to_owned());
                    self.decide(sheet, Decision::Deny { reason }).await
                }
            },
        }
    }

    async fn chosen(&mut self, line: &str) -> Result<Next, Failure> {
        match AtList::read(line) {
            AtList::Quit => return Ok(Next::Quit),
            AtList::List => self.which()?,
            AtList::Show(number) => return self.show(number).await,
            AtList::Unknown => {
                self.say("Type the number of a request, Enter for the list, or q to quit.")?;
                self.ask_which()?;
            }
        }
        Ok(Next::On)
    }

    async fn show(&mut self, number: usize) -> Result<Next, Failure> {
        let Some(entry) = self.entries.find(number) else {
            self.say(format!("No request that waits has the number {number}."))?;
            self.ask_which()?;
            return Ok(Next::On);
        };
        let (id, session) = (
            field(&entry.invocation, "id"),
            field(&entry.invocation, "sessionId"),
        );
        let (client, org, directory) = (self.client, self.org, &mut self.directory);
        let looked_up = async {
            let invocation = find_in_session(client, &session, &id).await?;
            directory.sheet(client, org, number, invocation).await
        };
        match self.screen.wait_for(looked_up, interrupted).await {
            Ok(sheet) if field(&sheet.invocation, "status") != "pending" => {
                let change = self.entries.remove(&sheet.invocation);
                let sentence = change.map_or_else(String::new, |change| change.sentence);
                self.say(sentence)?;
                self.which()?;
                Ok(Next::On)
            }
            Ok(sheet) => {
                let report = sheet.report(self.now(), self.screen.width());
                self.screen.print(&report)?;
                self.what(sheet)
            }
            Err(failure) => {
                self.trouble(failure)?;
                self.ask_which()?;
                Ok(Next::On)
            }
        }
    }

    async fn told(&mut self, sheet: Sheet, line: &str) -> Result<Next, Failure> {
        match AtRequest::read(line) {
            AtRequest::Approve => {
                let decision = approval(&sheet, None);
                self.decide(sheet, decision).await
            }
            AtRequest::Always(scope) => self.always(sheet, scope),
            AtRequest::Deny(None) => {
                self.screen
                    .ask("Why? (Enter: no reason; . goes back) ".to_owned())?;
                self.question = Question::Why(sheet);
                Ok(Next::On)
            }
            AtRequest::Deny(reason) => self.decide(sheet, Decision::Deny { reason }).await,
            AtRequest::Show => {
                let report = sheet.report(self.now(), self.screen.width());
                self.screen.print(&report)?;
                self.what(sheet)
            }
            AtRequest::Back => {
                self.which()?;
                Ok(Next::On)
            }
            AtRequest::Quit => Ok(Next::Quit),
            AtRequest::Unknown => {
                self.say("That is none of these:")?;
                self.what(sheet)
            }
        }
    }

    /// Says what will be allowed, and asks whether it is meant.
    fn always(&mut self, sheet: Sheet, scope: Scope) -> Result<Next, Failure> {
        let whose = match (scope, sheet.automation()) {
            (Scope::Org, _) => format!("every session of {}", self.org),
            (Scope::Automation, Some(name)) => format!("every run of the automation {name}"),
            (Scope::Automation, None) => {
                self.say("The session runs for no automation.")?;
                return self.what(sheet);
            }
        };
        let allowed = allowed(&name(&sheet.invocation), &whose);
        self.say(format!("This request runs, and {allowed}."))?;
        self.screen
            .ask("Is that meant? (yes; anything else goes back) ".to_owned())?;
        self.question = Question::Always(sheet, scope);
        Ok(Next::On)
    }

    async fn decide(&mut self, sheet: Sheet, decision: Decision) -> Result<Next, Failure> {
        let (id, session) = (
            field(&sheet.invocation, "id"),
            field(&sheet.invocation, "sessionId"),
        );
        let sending = send(self.client, &session, &id, &decision);
        let invocation = &sheet.invocation;
        let sent = self
            .screen
            .wait_for(sending, || approve::interrupted(invocation));
        let reply = match sent.await {
            Ok(reply) => reply,
            Err(failure) => {
                self.trouble(failure)?;
                return self.what(sheet);
            }
        };
        let ended = reply.body.get("invocation").cloned();
        let ended = ended.filter(|it| field(it, "status") != "pending");
        match outcome(reply, &decision) {
            Ok(report) => self.screen.print(&report)?,
            Err(failure) => self.trouble(failure)?,
        }
        let Some(ended) = ended else {
            return self.what(sheet);
        };
        self.entries.remove(&ended);
        self.say("")?;
        self.which()?;
        Ok(Next::On)
    }

    /// Shows the list, and asks for one of it.
    fn which(&mut self) -> Result<(), Failure> {
        self.screen.print(&self.entries.list(self.now()))?;
        self.ask_which()
    }

    fn ask_which(&mut self) -> Result<(), Failure> {
        self.question = Question::Which;
        self.screen.ask("inbox> ".to_owned())
    }

    /// Asks what about a request.
    fn what(&mut self, sheet: Sheet) -> Result<Next, Failure> {
        self.say_all(&choices(&sheet))?;
        self.screen.ask(format!("{}> ", sheet.number))?;
        self.question = Question::What(sheet);
        Ok(Next::On)
    }

    /// Says something, before something else is asked.
    fn say(&mut self, sentence: impl Into<String>) -> Result<(), Failure> {
        self.say_all(&[sentence.into()])
    }

    fn say_all(&mut self, sentences: &[String]) -> Result<(), Failure> {
        let report = self.sentences(sentences);
        self.screen.print(&report)
    }

    /// Each on lines of its own, whatever others have put into it.
    fn sentences(&self, sentences: &[String]) -> Report {
        let width = self.screen.width();
        let lines = sentences.iter().map(|it| sentence(it, width));
        Report::default().text(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Tells what went wrong, and goes on unless somebody wants an end.
    fn trouble(&mut self, failure: Failure) -> Result<(), Failure> {
        if failure.exit == Exit::Interrupted {
            return Err(failure);
        }
        self.screen.print(&Report::default().failing(failure))
    }

    fn now(&self) -> Timestamp {
        self.screen.console.clock.now()
    }
}

/// An approval of what the sheet shows.
fn approval(sheet: &Sheet, always: Option<Scope>) -> Decision {
    Decision::Approve {
        always,
        digest: sheet.digest(),
    }
}
