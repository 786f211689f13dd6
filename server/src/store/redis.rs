//! Sessions in Redis.

mod answer;
mod link;
mod news;
mod scripts;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use redial_session::{Payload, SessionId};
use redis::{Client, Script, ScriptInvocation};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use super::listeners::Listeners;
use super::{
    Change, Claim, Committed, Effect, Ended, Lease, Member, NewSession, Outgoing, Past, Reason, Resumed, SecretHash,
    SessionStore, StoreError, StoreSettings, Totals,
};
use answer::Answer;
use link::{Again, Link, unavailable};
use scripts::Scripts;

/// The biggest number that Lua counts to without leaving any out.
const MOST: u64 = (1 << 53) - 1;

/// How many leases, or ended sessions, one script deals with: others wait meanwhile.
const TOGETHER: usize = 500;

/// Sessions in Redis: several server processes share them, and any of them can go on with any session.
///
/// Each transaction is a script: Redis does all of it or nothing. What a client is to get is a stream, and so is a room's
/// history. Processes hear of each other's changes by publish and subscribe. All must have the same settings.
///
/// It takes Redis 7.0 or newer (or Valkey), one primary with as many replicas as you like: not Redis Cluster, since a
/// transaction is about sessions and rooms that would lie on different nodes. The keys begin with a prefix, `redial` by
/// default.
///
/// What a call has answered is as safe as Redis' own files: with `appendonly yes` and `appendfsync always` it is on the
/// disk; with `appendfsync everysec` (Redis' default) a second of it is lost if the machine loses its power, though
/// nothing if only Redis ends; without `appendonly`, everything since the last snapshot. A Redis that starts again
/// without its newest messages does not mislead clients: a session that has lost what its client knows of is ended by the
/// next [`claim`](SessionStore::claim). Set `maxmemory-policy noeviction`: Redis must refuse rather than forget.
///
/// A transaction that was torn when Redis was killed, or its machine, must be taken out of its file before it starts again:
///
/// ```text
/// yes | redis-check-aof --fix appendonlydir/appendonly.aof.manifest
/// ```
///
/// Redis (all versions as of 2026, and Valkey before
/// [this](https://github.com/valkey-io/valkey/pull/4342)) may leave its beginning there and append to it: the next start but
/// one would do half of what never happened. With `aof-load-truncated no` it does not start at all until that has been done.
///
/// While Redis can't be reached, each call waits for up to 2 seconds for it to come back, and then is
/// [`StoreError::Unavailable`]. Nothing needs to be done when it is there again. A Redis that answers, but has too much to
/// do, is waited for up to 10 seconds.
///
/// Times to live go by Redis' clock.
pub struct RedisStore {
    settings: StoreSettings,
    link: Link,
    scripts: Scripts,
    prefix: String,
    /// What time it is, for a test: milliseconds since 1970, or 0 for Redis' own clock.
    clock: Arc<AtomicU64>,
    listeners: Arc<Listeners>,
    news: JoinHandle<()>,
}

impl RedisStore {
    /// Connects to `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, over TLS to `rediss://…`, or to `redis+unix:///SOCKET`.
    /// A certificate must be one that the system trusts (`SSL_CERT_FILE` names others).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], with the reason.
    pub async fn connect(url: &str, settings: StoreSettings) -> Result<Self, StoreError> {
        Self::connect_with_prefix(url, "redial", settings).await
    }

    /// The same, with another prefix of the keys: for more than one application on one Redis.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with_prefix(url: &str, prefix: &str, settings: StoreSettings) -> Result<Self, StoreError> {
        Self::connect_with_clock(url, prefix, settings, Arc::default()).await
    }

    /// The same, with a clock of milliseconds since 1970; 0 is Redis' own. For tests.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    #[doc(hidden)]
    pub async fn connect_with_clock(
        url: &str,
        prefix: &str,
        settings: StoreSettings,
        clock: Arc<AtomicU64>,
    ) -> Result<Self, StoreError> {
        let client = Client::open(url).map_err(|error| unavailable(&error))?;
        let channel = format!("{prefix}:news");
        let subscription = news::subscribe(&client, &channel).await?;
        let listeners = Arc::new(Listeners::default());
        let news = tokio::spawn(news::pass_on(client.clone(), channel, subscription, Arc::clone(&listeners)));
        let link = Link::new(client);
        let prefix = prefix.to_owned();
        let store = Self { settings, link, scripts: Scripts::new(), prefix, clock, listeners, news };
        let version = store.ask(&store.script(&store.scripts.hello), Again::Yes).await?.number()?;
        if version != 1 {
            let why = format!("what is in Redis is of another version of redial: {version}, known is 1");
            return Err(StoreError::Unavailable(why));
        }
        Ok(store)
    }

    fn script<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        let settings = &self.settings;
        let mut invocation = script.prepare_invoke();
        invocation.arg(&self.prefix).arg(self.clock.load(Ordering::Relaxed));
        invocation.arg(u64::try_from(settings.ttl.as_millis()).unwrap_or(MOST).min(MOST));
        let limits =
            [settings.outbox_messages, settings.outbox_bytes, settings.history_messages, settings.sessions_per_user];
        for limit in limits {
            invocation.arg(bounded(limit));
        }
        invocation
    }

    async fn ask(&self, script: &ScriptInvocation<'_>, again: Again) -> Result<Answer, StoreError> {
        Answer::of(self.link.call(script, again).await?)
    }
}

fn bounded(number: usize) -> u64 {
    (number as u64).min(MOST)
}

fn add_lease(script: &mut ScriptInvocation<'_>, lease: Lease) {
    script.arg(lease.session.as_bytes()).arg(lease.epoch);
}

fn add_payload(script: &mut ScriptInvocation<'_>, payload: &Payload) {
    script.arg(if payload.is_text() { "text" } else { "binary" }).arg(&payload.bytes()[..]);
}

fn add_effects(script: &mut ScriptInvocation<'_>, effects: &[Effect]) {
    for effect in effects {
        match effect {
            Effect::Reply(payload) => add_payload(script.arg("reply"), payload),
            Effect::Broadcast { room, payload, to_self, keep } => {
                let flags = format!("{}{}", u8::from(*to_self), u8::from(*keep));
                add_payload(script.arg("broadcast").arg(room).arg(flags), payload);
            }
            Effect::Join(room) => {
                script.arg("join").arg(room);
            }
            Effect::Leave(room) => {
                script.arg("leave").arg(room);
            }
        }
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.news.abort();
    }
}

impl fmt::Debug for RedisStore {
    /// Without the URL, which may have a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("settings", &self.settings)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for RedisStore {
    fn settings(&self) -> &StoreSettings {
        &self.settings
    }

    async fn create(&self, new: NewSession) -> Result<Lease, StoreError> {
        let mut script = self.script(&self.scripts.create);
        script.arg(new.id.as_bytes()).arg(&new.secret.0).arg(new.alias);
        if let Some(user) = &new.user {
            script.arg(user);
        }
        let epoch = self.ask(&script, Again::Yes).await?.number()?;
        Ok(Lease { session: new.id, epoch })
    }

    async fn claim(&self, id: SessionId, secret: SecretHash, received: u64) -> Result<Claim, StoreError> {
        let mut script = self.script(&self.scripts.claim);
        script.arg(id.as_bytes()).arg(&secret.0).arg(received.min(MOST));
        let mut answer = match self.ask(&script, Again::Yes).await {
            Err(StoreError::Gone(Reason::Unknown)) => return Ok(Claim::Unknown),
            answer => answer?,
        };
        let lease = Lease { session: id, epoch: answer.number()? };
        let (received, alias, user) = (answer.number()?, answer.number()?, answer.text_or_nil()?);
        Ok(Claim::Resumed(Resumed { lease, received, user, alias }))
    }

    async fn commit(&self, lease: Lease, messages: Vec<Committed>) -> Result<(), StoreError> {
        let mut script = self.script(&self.scripts.commit);
        add_lease(&mut script, lease);
        script.arg(messages.len());
        for message in &messages {
            script.arg(message.number.min(MOST)).arg(message.effects.len());
        }
        for message in &messages {
            add_effects(&mut script, &message.effects);
        }
        self.ask(&script, Again::Yes).await.map(|_| ())
    }

    async fn apply(&self, session: Option<SessionId>, effects: Vec<Effect>) -> Result<(), StoreError> {
        let mut script = self.script(&self.scripts.apply);
        script.arg(session.as_ref().map_or(&b""[..], |id| id.as_bytes())).arg(effects.len());
        add_effects(&mut script, &effects);
        self.ask(&script, Again::No).await.map(|_| ())
    }

    async fn read(
        &self,
        lease: Lease,
        after: u64,
        most_messages: usize,
        most_bytes: usize,
    ) -> Result<Vec<Outgoing>, StoreError> {
        let mut script = self.script(&self.scripts.read);
        add_lease(&mut script, lease);
        script.arg(after.min(MOST)).arg(bounded(most_messages)).arg(bounded(most_bytes));
        let answer = self.ask(&script, Again::Yes).await?;
        answer.each(|message| Ok(Outgoing { number: message.number()?, payload: message.payload()? }))
    }

    async fn acknowledge(&self, lease: Lease, up_to: u64) -> Result<(), StoreError> {
        let mut script = self.script(&self.scripts.acknowledge);
        add_lease(&mut script, lease);
        self.ask(script.arg(up_to.min(MOST)), Again::Yes).await.map(|_| ())
    }

    async fn keep(&self, leases: &[Lease]) -> Result<(), StoreError> {
        for leases in leases.chunks(TOGETHER) {
            let mut script = self.script(&self.scripts.keep);
            leases.iter().for_each(|lease| add_lease(&mut script, *lease));
            self.ask(&script, Again::Yes).await?;
        }
        Ok(())
    }

    async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        let mut script = self.script(&self.scripts.release);
        add_lease(&mut script, lease);
        self.ask(&script, Again::Yes).await.map(|_| ())
    }

    async fn end(&self, lease: Lease) -> Result<Option<Ended>, StoreError> {
        let mut script = self.script(&self.scripts.end);
        add_lease(&mut script, lease);
        let ended = self.ask(&script, Again::Yes).await?.inner();
        ended.map(|ended| ended?.ended()).transpose()
    }

    async fn expire(&self, most: usize) -> Result<Vec<Ended>, StoreError> {
        let mut all = Vec::new();
        while all.len() < most {
            let some = (most - all.len()).min(TOGETHER);
            let mut script = self.script(&self.scripts.expire);
            let answer = self.ask(script.arg(some), Again::Yes).await;
            let ended = match answer.and_then(|answer| answer.each(Answer::ended)) {
                Ok(ended) => ended,
                // What was reported already would be lost.
                Err(_) if !all.is_empty() => break,
                Err(error) => return Err(error),
            };
            let enough = ended.len() < some;
            all.extend(ended);
            if enough {
                break;
            }
        }
        Ok(all)
    }

    async fn history(&self, room: &str, before: Option<u64>, most: usize) -> Result<Vec<Past>, StoreError> {
        let last = before.map_or(MOST, |before| before.min(MOST)).saturating_sub(1);
        if last == 0 || most == 0 {
            return Ok(Vec::new());
        }
        let mut script = self.script(&self.scripts.history);
        script.arg(room).arg(last).arg(bounded(most));
        let answer = self.ask(&script, Again::Yes).await?;
        let mut past = answer
            .each(|past| Ok(Past { number: past.number()?, at_millis: past.number()?, payload: past.payload()? }))?;
        past.reverse();
        Ok(past)
    }

    async fn members(&self, room: &str) -> Result<Vec<Member>, StoreError> {
        let mut script = self.script(&self.scripts.members);
        let answer = self.ask(script.arg(room), Again::Yes).await?;
        answer.each(|member| {
            let (alias, connected) = (member.number()?, member.number()? == 1);
            Ok(Member { alias, user: member.text_or_nil()?, connected })
        })
    }

    async fn count(&self, key: &str) -> Result<u64, StoreError> {
        let mut script = self.script(&self.scripts.count);
        self.ask(script.arg(key), Again::No).await?.number()
    }

    async fn totals(&self) -> Result<Totals, StoreError> {
        let mut answer = self.ask(&self.script(&self.scripts.totals), Again::Yes).await?;
        let (sessions, waiting) = (answer.number()?, answer.number()?);
        Ok(Totals { sessions, outbox_messages: Some(waiting) })
    }

    fn changes(&self) -> UnboundedReceiver<Change> {
        self.listeners.add()
    }
}
