//! One wording of "address already in use": who prints it, and what it tells.

/// What a line of this wording is to the lines around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// It tells of a refusal.
    Whole,
    /// It stands beside a line that tells of the same refusal, mostly; where it stands alone, it is one itself.
    Echo,
    /// It repeats, at the end of a log, what was told before; where nothing was, it is one itself.
    Recap,
}

/// A row of the table of wordings.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Wording {
    /// Whose wording it is, in words for people.
    pub source: &'static str,
    /// Names of the executables that print it, or of which it tells; empty where any program may.
    pub programs: &'static [&'static str],
    /// Regular expression, with the placeholders of `expand`.
    pub pattern: &'static str,
    /// Regular expressions for lines around it that tell the address or port where it does not.
    pub details: &'static [&'static str],
    /// `tcp` or `udp`, where the wording is used for one only.
    pub protocol: Option<&'static str>,
    /// What it is to the lines around it.
    pub role: Role,
    /// A line as it is really printed.
    pub sample: &'static str,
    /// What is known from the sample alone: protocol, address, port and path, as far as they are told.
    pub told: &'static str,
}

impl Wording {
    /// Whether any program may print it: it is the text of the error alone.
    pub(super) fn is_of_any(&self) -> bool {
        self.source.starts_with("any")
    }

    /// Whether one program may print both.
    pub(super) fn may_be_with(&self, other: &Self) -> bool {
        let both = [self, other];
        both.iter().any(|wording| wording.programs.is_empty())
            || self.programs.iter().any(|program| other.programs.contains(program))
    }
}

/// What most rows have in common.
pub(super) const ROW: Wording = Wording {
    source: "",
    programs: &[],
    pattern: "",
    details: &[],
    protocol: Some("tcp"),
    role: Role::Whole,
    sample: "",
    told: "",
};

/// The text of EADDRINUSE in the locales of glibc 2.36 (its translations, `libc.mo`), without English; the JVM,
/// PHP, Perl, and every C program with strerror(3) print them.
pub const TRANSLATIONS: &[&str] = &[
    "Адресът вече се използва",
    "L’adreça ja és en ús",
    "Adresa je užívána",
    "Adressen er allerede i brug",
    "Die Adresse wird bereits verwendet",
    "Η διεύθυνση υποδοχής είναι ήδη σε χρήση",
    "Adreso jam uziĝas",
    "La dirección ya se está usando",
    "Osoite on jo käytössä",
    "Adresse déjà utilisée",
    "Estase usando o enderezo",
    "Adrese se već koriste",
    "A cím már használatban van",
    "Alamat telah digunakan",
    "Indirizzo già in uso",
    "アドレスは既に使用中です",
    "주소가 이미 사용 중입니다",
    "Adresas jau naudojamas",
    "Adressen er allerede i bruk",
    "Adres is al in gebruik",
    "Adres jest już w użyciu",
    "Endereço já em uso",
    "Адрес уже используется",
    "Adresa je používaná",
    "Naslov je že v rabi",
    "Адреса је већ у употреби",
    "Adressen redan upptagen",
    "Adres zaten kullanımda",
    "Адресу вже використано",
    "Địa chỉ đang được dùng",
    "地址已在使用",
    "位址已經有在使用",
];

/// What Windows says (WSAEADDRINUSE, 10048), in the languages it was seen in: a JVM or .NET prints it under WSL too.
pub const WINDOWS: &[&str] = &[
    "Only one usage of each socket address (protocol/network address/port) is normally permitted",
    "Normalerweise darf jede Socketadresse (Protokoll, Netzwerkadresse oder Anschluss) nur jeweils einmal verwendet werden",
    "通常每个套接字地址(协议/网络地址/端口)只允许使用一次",
];

/// The pattern with its placeholders put in:
///
/// | placeholder | matches | captures |
/// |---|---|---|
/// | `{used}` | the text of EADDRINUSE in any language | |
/// | `{at}` | an address or host name, a colon, a port | `address`, `port` |
/// | `{tuple}` | a Python tuple of host and port | `address`, `port` |
/// | `{port}` | a port | `port` |
/// | `{path}` | a path or abstract name | `path` |
/// | `{pid}` | a process id | `pid` |
pub(super) fn expand(pattern: &str) -> String {
    let texts: Vec<String> = TRANSLATIONS.iter().chain(WINDOWS).map(|text| regex::escape(text)).collect();
    let used = format!("(?:(?i:address (?:is )?already in use)|(?i:address in use)|{})", texts.join("|"));
    pattern
        .replace("{used}", &used)
        .replace("{at}", r#"(?P<address>\[[0-9A-Za-z:.%]*\]|[^\s\[\](){}'",;/=]*?):{port}"#)
        .replace("{tuple}", r"\('(?P<address>[^'\s]*)', {port}\b")
        .replace("{port}", r"(?P<port>[0-9]{1,5})\b")
        .replace("{path}", r#"(?P<path>[@/][^\s"',:)]*)"#)
        .replace("{pid}", r"(?P<pid>[0-9]{1,7})")
}
