//! One wording of "address already in use": the programs that print it, and what it contains.

/// How a line of this wording relates to the lines around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// The line reports a refused bind.
    Whole,
    /// The line usually accompanies a line about the same refused bind; alone, it counts as an error itself.
    Echo,
    /// The line repeats at the end of a log what was reported before; without an earlier report, it counts as an error
    /// itself.
    Recap,
}

/// A row of the table of wordings.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Wording {
    /// The source of the wording, in words for the user.
    pub source: &'static str,
    /// Names of the executables that print the wording, or that it is about; empty if any program may print it.
    pub programs: &'static [&'static str],
    /// Regular expression, with the placeholders of `expand`.
    pub pattern: &'static str,
    /// Regular expressions for neighbouring lines that contain the address or port, if this line does not.
    pub details: &'static [&'static str],
    /// `tcp` or `udp`, if the wording is used for only one of them.
    pub protocol: Option<&'static str>,
    /// How the line relates to the lines around it.
    pub role: Role,
    /// A line as a program really printed it.
    pub sample: &'static str,
    /// The fields that the sample alone yields, as far as it contains them: `tcp 127.0.0.1:80`, `:80` for a port alone,
    /// or a path.
    pub states: &'static str,
}

impl Wording {
    /// Whether any program may print the wording, because it is only the text of the error.
    pub(super) fn is_of_any(&self) -> bool {
        self.source.starts_with("any")
    }

    /// Whether one program may print both wordings.
    pub(super) fn may_be_with(&self, other: &Self) -> bool {
        let both = [self, other];
        both.iter().any(|wording| wording.programs.is_empty())
            || self.programs.iter().any(|program| other.programs.contains(program))
    }
}

/// Default values of the rows.
pub(super) const ROW: Wording = Wording {
    source: "",
    programs: &[],
    pattern: "",
    details: &[],
    protocol: Some("tcp"),
    role: Role::Whole,
    sample: "",
    states: "",
};

/// The text of EADDRINUSE in the locales of glibc 2.36 (its translations, `libc.mo`), except English; the JVM, PHP,
/// Perl, and every C program that calls strerror(3) print these texts.
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

/// What all versions of the texts of Windows (WSAEADDRINUSE, 10048) have in common, in the languages seen so far: a JVM
/// or .NET also prints them under WSL.
pub const WINDOWS: &[&str] = &[
    "Only one usage of each socket address",
    "Normalerweise darf jede Socketadresse",
    "Une seule utilisation de chaque adresse de socket",
    "uso de cada dirección de socket",
    "utilização de cada endereço de soquete",
    "utilizzo di ogni indirizzo di socket",
    "Обычно разрешается только одно использование адреса сокета",
    "通常每个套接字地址",
    "通常、各ソケット アドレス",
    "각 소켓 주소는 하나만",
    "각 소켓 주소(프로토콜/네트워크 주소/포트)는 하나만",
];

/// The texts of EADDRINUSE as regular expressions without case, those in other letters than ASCII also in small ones:
/// asyncio prints them so.
pub(super) fn texts() -> Vec<String> {
    let all = TRANSLATIONS.iter().chain(WINDOWS).map(|text| (*text).to_owned());
    let mut texts: Vec<String> = all.flat_map(|text| [text.to_lowercase(), text]).collect();
    texts.dedup_by_key(|text| text.to_ascii_lowercase());
    texts.iter().map(|text| regex::escape(text)).collect()
}

/// The pattern with its placeholders replaced:
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
    let used = format!("(?i:address (?:is )?already in use|address in use|{})", texts().join("|"));
    pattern
        .replace("{used}", &used)
        .replace("{at}", r#"(?P<address>\[[0-9A-Za-z:.%]*\]|[^\s\[\](){}'",;/=]*?):{port}"#)
        .replace("{tuple}", r"\('(?P<address>[^'\s]*)', {port}\b")
        .replace("{port}", r"(?P<port>[0-9]{1,5})\b")
        .replace("{path}", r#"(?P<path>[@/][^\s"',:)]*)"#)
        .replace("{pid}", r"(?P<pid>[0-9]{1,7})")
}
