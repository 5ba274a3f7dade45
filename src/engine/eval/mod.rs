//! The evaluator: terms in, values out.

mod admin;
mod aggregate;
mod coerce;
mod feed;
mod func;
mod index;
mod object;
mod path;
mod scalar;
mod seq;
mod sort;
mod stats;
mod step;
mod stream;
mod system;
mod table;
pub(crate) mod term;
mod value;
mod write;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) use feed::Feed;
use func::Func;
pub(crate) use func::Scope;
pub(crate) use step::Step;
pub(crate) use stream::Stream;
pub(crate) use value::Value;

use crate::engine::changefeed::Hub;
use crate::engine::datum::json::Node;
use crate::engine::datum::{self, Datum, Time};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::term::{Call, Term, TermKind};
use crate::engine::storage::{Batch, Durability, Snapshot, Storage};

/// The longest string that a term may build: as long as the longest query (`MAX_QUERY_SIZE` in RethinkDB's
/// `client_protocol/protocols.hpp`).
const MAX_TEXT_BYTES: usize = 134_217_727;

/// What `error` without a text says where there is no failure to let through.
const EMPTY_ERROR: &str = "Empty ERROR term outside a default block.";

/// What all queries of the engine share.
pub(crate) struct Context {
    pub(crate) storage: Storage,
    pub(crate) hub: Hub,
    /// The server's id and name, for clients that ask.
    pub(crate) server_id: Arc<str>,
    pub(crate) server_name: Arc<str>,
}

impl Context {
    pub(crate) fn new(storage: Storage, hub: Hub) -> Self {
        Self {
            storage,
            hub,
            server_id: system::new_server_id(),
            server_name: "realtime_photo".into(),
        }
    }
}

/// The optional arguments of a query as a whole, evaluated.
pub(crate) type Globals = Arc<[(Arc<str>, Datum)]>;

/// What a term can see besides its variables. It belongs to one thread; evaluating blocks on the disk.
pub(crate) struct Env {
    context: Option<Arc<Context>>,
    globals: Globals,
    /// The time of the query: `now` is the same wherever it stands.
    now: Time,
    interrupted: Arc<AtomicBool>,
    snapshot: RefCell<Option<Arc<Snapshot>>>,
    /// How many elements of sequences may still be looked at where others wait for the end: on the writer's thread.
    patience: Option<Cell<u32>>,
}

/// How many elements a function may look at in all for one write, or for one change of one feed.
const PATIENCE: u32 = 1_000_000;

impl Env {
    /// An environment for one evaluation. Setting `interrupted` makes it fail soon.
    pub(crate) fn new(
        context: Arc<Context>,
        globals: Globals,
        interrupted: Arc<AtomicBool>,
    ) -> Self {
        Self {
            context: Some(context),
            globals,
            now: now(),
            interrupted,
            snapshot: RefCell::new(None),
            patience: None,
        }
    }

    /// An environment without a database, for the steps of feeds.
    pub(crate) fn detached() -> Self {
        Self {
            context: None,
            globals: Arc::from([]),
            now: now(),
            interrupted: Arc::default(),
            snapshot: RefCell::new(None),
            patience: Some(Cell::new(PATIENCE)),
        }
    }

    /// Evaluates a term.
    ///
    /// # Errors
    /// Whatever fails in it.
    pub(crate) fn eval(&self, term: &Term, scope: &Scope) -> Result<Value, ReqlError> {
        match term {
            Term::Datum(datum) => Ok(Value::Datum(datum.clone())),
            Term::Object(fields) => object::make(self, fields, scope).map(Value::Datum),
            Term::Call(call) => self.eval_call(call, scope),
            Term::Invalid(error) => Err(error.clone()),
        }
    }

    /// Evaluates a term to a datum.
    ///
    /// # Errors
    /// Whatever fails in it, and what has no datum.
    pub(crate) fn datum(&self, term: &Term, scope: &Scope) -> Result<Datum, ReqlError> {
        match term {
            Term::Datum(datum) => Ok(datum.clone()),
            term => self.eval(term, scope)?.into_datum(self),
        }
    }

    fn eval_call(&self, call: &Arc<Call>, scope: &Scope) -> Result<Value, ReqlError> {
        use TermKind as K;
        if call.has_args() {
            return self.eval_call(&self.expand_args(call, scope)?, scope);
        }
        let datum = |value: Result<Datum, ReqlError>| value.map(Value::Datum);
        match call.kind {
            K::MakeArray => {
                scalar::check_length(call.args.len())?;
                let items = call
                    .args
                    .iter()
                    .map(|arg| self.eval(arg, scope)?.materialize(self));
                datum(items.collect::<Result<Vec<_>, _>>().map(Datum::from))
            }
            K::MakeObj => datum(Ok(Datum::object([]))),
            K::Var => datum(scope.variable(self.datum(&call.args[0], scope)?.as_integer()?)),
            K::ImplicitVar => datum(scope.implicit()),
            K::Error => Err(self.raise(call, scope)?),
            K::Func => Func::new(call, scope).map(Value::Func),
            K::Funcall => self.funcall(call, scope),
            K::Db => table::db(self, call, scope),
            K::Table => table::table(self, call, scope),
            K::Get => table::get(self, call, scope),
            K::GetAll => table::get_all(self, call, scope),
            K::Between => table::between(self, call, scope),
            K::MinVal => Ok(Value::MinVal),
            K::MaxVal => Ok(Value::MaxVal),
            K::Eq | K::Ne | K::Lt | K::Le | K::Gt | K::Ge => {
                datum(scalar::comparison(self, call, scope))
            }
            K::Not => datum(
                self.datum(&call.args[0], scope)
                    .map(|value| (!value.is_truthy()).into()),
            ),
            K::And | K::Or => datum(scalar::logic(self, call, scope)),
            K::Add | K::Sub | K::Mul | K::Div => datum(scalar::arithmetic(self, call, scope)),
            K::Mod => datum(scalar::modulo(self, call, scope)),
            K::Floor | K::Ceil | K::Round => datum(scalar::rounding(self, call, scope)),
            K::Append | K::Prepend | K::SetDifference => datum(scalar::array(self, call, scope)),
            K::Branch => scalar::branch(self, call, scope),
            K::Default => scalar::default(self, call, scope),
            K::Match => datum(scalar::find_match(self, call, scope)),
            K::Iso8601 | K::ToIso8601 | K::EpochTime | K::ToEpochTime | K::Now => {
                datum(scalar::time(self, call, scope))
            }
            K::Uuid => datum(self.uuid(call, scope)),
            K::GetField | K::Bracket => object::bracket(self, call, scope),
            K::HasFields | K::WithFields | K::Pluck | K::Without => {
                object::fields(self, call, scope)
            }
            K::Merge => object::merge_term(self, call, scope),
            K::Literal => Err(object::stray_literal()),
            K::Keys | K::Values => object::entries(self, call, scope),
            K::Map | K::Filter | K::ConcatMap => seq::transform(self, call, scope),
            K::Skip | K::Limit | K::Slice => seq::cut(self, call, scope),
            K::Nth => seq::nth(self, call, scope),
            K::Count => aggregate::count(self, call, scope),
            K::Contains => seq::contains(self, call, scope),
            K::IsEmpty => seq::is_empty(self, call, scope),
            K::Sum | K::Avg | K::Min | K::Max => aggregate::aggregate(self, call, scope),
            K::Distinct => seq::distinct(self, call, scope),
            K::Union => seq::union(self, call, scope),
            K::Range => seq::range(self, call, scope),
            K::Asc | K::Desc => sort::order_key(self, call, scope),
            K::OrderBy => sort::order_by(self, call, scope),
            K::CoerceTo => coerce::coerce_to(self, call, scope),
            // Only as an argument of another term, which takes it apart.
            K::Args => Err(ReqlError::logic("`args` can only be used as an argument.")),
            K::Binary => datum(coerce::binary(self, call, scope)),
            K::TypeOf => datum(coerce::type_of(self, call, scope)),
            K::Info => datum(coerce::info(self, call, scope)),
            K::Insert => write::insert(self, call, scope),
            K::Update | K::Replace | K::Delete => write::change(self, call, scope),
            K::ForEach => write::for_each(self, call, scope),
            K::DbCreate => admin::db_create(self, call, scope),
            K::DbDrop => admin::db_drop(self, call, scope),
            K::DbList => admin::db_list(self),
            K::TableCreate => admin::table_create(self, call, scope),
            K::TableDrop => admin::table_drop(self, call, scope),
            K::TableList => admin::table_list(self, call, scope),
            K::IndexCreate => admin::index_create(self, call, scope),
            K::IndexDrop => admin::index_drop(self, call, scope),
            K::IndexList => admin::index_list(self, call, scope),
            K::IndexStatus | K::IndexWait => admin::index_status(self, call, scope),
            K::Config | K::Status => admin::describe(self, call, scope),
            K::Wait => admin::wait(self, call, scope),
            K::Sync => admin::sync(self, call, scope),
            // The engine has no write hooks, so no table has one.
            K::GetWriteHook => self
                .eval(&call.args[0], scope)?
                .into_table()
                .map(|_| Value::Datum(Datum::Null)),
            K::Changes => feed::changes(self, call, scope),
        }
    }

    /// `args`: the call with the items of an array in the place of one argument.
    fn expand_args(&self, call: &Call, scope: &Scope) -> Result<Arc<Call>, ReqlError> {
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            match arg {
                Term::Call(inner) if inner.kind == TermKind::Args => {
                    let items = self.eval(&inner.args[0], scope)?.materialize(self)?;
                    args.extend(items.as_array()?.iter().cloned().map(Term::Datum));
                }
                other => args.push(other.clone()),
            }
        }
        call.with_args(args).map(Arc::new)
    }

    /// `error`: the failure that it raises. Without a text it stands for the failure that `default` caught.
    fn raise(&self, call: &Call, scope: &Scope) -> Result<ReqlError, ReqlError> {
        Ok(match call.args.first() {
            Some(message) => {
                ReqlError::new(ErrorKind::User, &**self.datum(message, scope)?.as_str()?)
            }
            None => ReqlError::logic(EMPTY_ERROR),
        })
    }

    /// `do`: a function called with values.
    fn funcall(&self, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
        let arguments = call.args[1..]
            .iter()
            .map(|arg| self.eval(arg, scope)?.materialize(self));
        let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
        let function = self.func_or_constant(&call.args[0], scope)?;
        self.eval(function.body(), &function.bind(&arguments)?)
    }

    /// `uuid`: a random one, or the one that belongs to a text (version 5 under RethinkDB's namespace).
    fn uuid(&self, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
        const NAMESPACE: uuid::Uuid = uuid::uuid!("91461c99-f89d-49d2-af96-d8e2e14e9b58");
        let id = match call.args.first() {
            None => uuid::Uuid::new_v4(),
            Some(text) => {
                uuid::Uuid::new_v5(&NAMESPACE, self.datum(text, scope)?.as_str()?.as_bytes())
            }
        };
        Ok(id.to_string().into())
    }

    /// A function, or one that gives what stands in its place.
    ///
    /// # Errors
    /// A function that is not well formed.
    fn func_or_constant(&self, term: &Term, scope: &Scope) -> Result<Func, ReqlError> {
        match term {
            Term::Call(call) if call.kind == TermKind::Func => Func::new(call, scope),
            // A function can also be bound to a variable of `do`, so it is evaluated before it is taken as a constant.
            other => Ok(Func::constant(other.clone(), scope)),
        }
    }

    /// A function and nothing else.
    ///
    /// # Errors
    /// What is none.
    fn func(&self, term: &Term, scope: &Scope) -> Result<Func, ReqlError> {
        match self.eval(term, scope)? {
            Value::Func(function) => Ok(function),
            other => Err(ReqlError::logic(format!(
                "Expected type FUNCTION but found DATUM:\n{}",
                other.into_datum(self)?.print()
            ))),
        }
    }

    /// A function, or the one that takes the field of that name.
    fn func_or_field(&self, term: &Term, scope: &Scope) -> Result<Func, ReqlError> {
        match self.eval(term, scope)? {
            Value::Func(function) => Ok(function),
            other => Ok(Func::field(other.into_datum(self)?.as_str()?)),
        }
    }

    /// The name of a database.
    fn db(&self, term: &Term, scope: &Scope) -> Result<Arc<str>, ReqlError> {
        match self.eval(term, scope)? {
            Value::Db(name) => Ok(name),
            other => Err(ReqlError::expected("DB", other.type_name())),
        }
    }

    /// The database that a table belongs to when the query names none.
    fn default_db(&self) -> Arc<str> {
        match self.find_global("db") {
            Some(Datum::String(name)) => name.clone(),
            _ => "test".into(),
        }
    }

    /// An optional argument of the query as a whole.
    fn global(&self, name: &str) -> Result<Option<Datum>, ReqlError> {
        Ok(self.find_global(name).cloned())
    }

    fn find_global(&self, name: &str) -> Option<&Datum> {
        self.globals
            .iter()
            .find(|(other, _)| &**other == name)
            .map(|(_, value)| value)
    }

    /// Whether a bound of a range leaves its end out.
    fn is_open(
        &self,
        call: &Call,
        scope: &Scope,
        name: &str,
        default: bool,
    ) -> Result<bool, ReqlError> {
        let Some(bound) = call.optarg(name) else {
            return Ok(default);
        };
        match &**self.datum(bound, scope)?.as_str()? {
            "open" => Ok(true),
            "closed" => Ok(false),
            other => Err(ReqlError::logic(format!(
                "Expected `open` or `closed` for optarg `{name}` (got `{other}`)."
            ))),
        }
    }

    /// Fails when nobody waits for the answer any more.
    ///
    /// # Errors
    /// As RethinkDB's for a query that was ended from outside.
    fn check_interrupted(&self) -> Result<(), ReqlError> {
        if self.interrupted.load(Ordering::Relaxed) {
            let message = "Query terminated by an unknown cause.";
            return Err(ReqlError::new(ErrorKind::OpIndeterminate, message));
        }
        if let Some(patience) = &self.patience {
            let Some(left) = patience.get().checked_sub(1) else {
                let message = format!("The function looks at more than {PATIENCE} elements.");
                return Err(ReqlError::new(ErrorKind::ResourceLimit, message));
            };
            patience.set(left);
        }
        Ok(())
    }

    fn context(&self) -> Result<&Arc<Context>, ReqlError> {
        self.context.as_ref().ok_or_else(|| {
            ReqlError::new(
                ErrorKind::Internal,
                "a feed's function asked for the database",
            )
        })
    }

    fn server_id(&self) -> Arc<str> {
        self.context
            .as_ref()
            .map_or_else(|| "".into(), |context| context.server_id.clone())
    }

    fn server_name(&self) -> Arc<str> {
        self.context
            .as_ref()
            .map_or_else(|| "".into(), |context| context.server_name.clone())
    }

    /// The database as this query sees it: as it was at its first look, and after each of its own writes.
    fn snapshot(&self) -> Result<Arc<Snapshot>, ReqlError> {
        if let Some(snapshot) = &*self.snapshot.borrow() {
            return Ok(Arc::clone(snapshot));
        }
        self.fresh_snapshot()
    }

    /// The database as it is now, which is also what the query sees from here on.
    fn fresh_snapshot(&self) -> Result<Arc<Snapshot>, ReqlError> {
        let snapshot = self.context()?.storage.snapshot()?;
        *self.snapshot.borrow_mut() = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// Carries out a write and waits until it is as safe as it has to be.
    fn write<T: Send + 'static>(
        &self,
        durability: Durability,
        operation: impl FnOnce(&Env, &mut Batch<'_>) -> Result<T, ReqlError> + Send + 'static,
    ) -> Result<T, ReqlError> {
        let context = self.context()?;
        let (shared, globals, now) = (
            Arc::clone(context),
            Arc::clone(&self.globals),
            self.now.clone(),
        );
        let interrupted = Arc::clone(&self.interrupted);
        let done = context.storage.write(durability, move |batch| {
            let env = Env {
                now,
                patience: Some(Cell::new(PATIENCE)),
                ..Env::new(shared, globals, interrupted)
            };
            operation(&env, batch)
        });
        let result = futures::executor::block_on(done);
        *self.snapshot.borrow_mut() = None;
        result
    }

    /// Waits until everything written so far is on disk.
    fn sync(&self) -> Result<(), ReqlError> {
        futures::executor::block_on(self.context()?.storage.sync())
    }
}

/// Evaluates the optional arguments of a query as a whole.
///
/// # Errors
/// Whatever fails in them.
pub(crate) fn globals(optargs: &[(Arc<str>, Term)]) -> Result<Globals, ReqlError> {
    let env = Env::detached();
    let evaluate = |(name, term): &(Arc<str>, Term)| {
        let value = match env.eval(term, &Scope::default())? {
            Value::Db(db) => Datum::String(db),
            other => other.into_datum(&env)?,
        };
        Ok((Arc::clone(name), value))
    };
    optargs.iter().map(evaluate).collect()
}

/// The time of a query.
fn now() -> Time {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Time::utc(since_epoch.as_secs_f64())
}

/// A value from the JSON that the engine itself wrote.
fn datum_of_json(json: &[u8]) -> Result<Datum, ReqlError> {
    let node = Node::parse(json)
        .map_err(|error| ReqlError::new(ErrorKind::Internal, error.to_string()))?;
    datum::from_node(node)
}
