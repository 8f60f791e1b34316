//! How the caller and the process in its way are related.

/// How the caller and the process in its way are related.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Relation {
    /// Stable code.
    pub code: RelationCode,
    /// One sentence without a full stop; foreign names in it are escaped.
    pub text: String,
}

impl Relation {
    /// A relation, and the sentence that describes it for this refusal.
    #[must_use]
    pub const fn new(code: RelationCode, text: String) -> Self {
        Self { code, text }
    }
}

/// How two processes are related, as one word that scripts may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RelationCode {
    /// The holder is an ancestor of the caller: its parent, or further above.
    Ancestor,
    /// The holder is a descendant of the caller.
    Descendant,
    /// Both are workers of one master process.
    Worker,
    /// Both were started by one process.
    Sibling,
    /// Both run the same command in the same folder, and the holder started earlier.
    EarlierRun,
    /// Both run the same command in different folders.
    OtherFolder,
    /// The process that started the holder has ended.
    LeftOver,
    /// Both belong to one systemd service.
    SameService,
    /// Both run in one container.
    SameContainer,
}

impl RelationCode {
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ancestor => "ancestor",
            Self::Descendant => "descendant",
            Self::Worker => "worker",
            Self::Sibling => "sibling",
            Self::EarlierRun => "earlier-run",
            Self::OtherFolder => "other-folder",
            Self::LeftOver => "left-over",
            Self::SameService => "same-service",
            Self::SameContainer => "same-container",
        }
    }
}
