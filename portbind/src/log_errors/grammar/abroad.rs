//! The words of languages other than English: for ports, for what is in use, and for what takes that back.
//!
//! All patterns are read as bytes: classes of letters beyond ASCII are written as alternatives.

use super::cursor::{Cursor, is_word};

/// The most bytes of an ending or a particle behind a word: `порту`, `端口号`.
const ENDING: usize = 9;

/// Words that a port, an address or a path is in use. They need one beside them.
pub(in crate::log_errors) const IN_USE: &str = concat!(
    // German
    r"\b(?:bereits|schon|derzeit) (?:(?:von|durch) [^.;]{1,40}? )?(?:belegt|besetzt|verwendet|benutzt|genutzt|vergeben|in (?:benutzung|verwendung|gebrauch))",
    r"|\bbelegt\b",
    // French
    r"|\bd(?:é|e)j(?:à|a) (?:utilis|occup|pris|allou)|\butilis(?:é|e)e? par (?:un|l)|\boccup(?:é|ée|ee)(?:[^a-z]|$)",
    // Spanish, Portuguese, Italian
    r"|\b(?:est(?:á|a)|ya) (?:en uso|ocupad|siendo (?:usad|utilizad))|\bocupad[ao]\b|\bya (?:se )?est(?:á|a) (?:us|utiliz)",
    r"|\b(?:est(?:á|a)|já) (?:em uso|ocupad|sendo (?:us|utiliz)|alocad)",
    r"|\bgi(?:à|a) (?:in uso|occupat|utilizzat|usat)|\bè in uso|\boccupat[ao]\b",
    // Dutch, Swedish, Danish, Norwegian
    r"|\b(?:al|reeds) (?:in gebruik|bezet|gebruikt)|\banvänds redan|\bredan (?:upptagen|i bruk)",
    r"|\ballerede (?:i brug|i bruk|optaget|opptatt)",
    // Polish, Czech, Hungarian, Finnish, Turkish, Romanian, Greek, Vietnamese, Indonesian
    r"|\bjuż (?:używan|zajęt|w użyciu)|\bzajęty|\bj(?:e|iž) (?:používán|obsazen)",
    r"|\bmár (?:használat|foglalt)|\bon jo (?:käytössä|varattu)|\b(?:zaten )?kullan(?:ımda|ılıyor)",
    r"|\beste deja (?:folosit|utilizat|ocupat)|χρησιμοποιείται|(?:đã|đang) được (?:sử dụng|dùng)",
    r"|\b(?:sudah|sedang) (?:digunakan|dipakai)",
    // Russian, Ukrainian
    r"|уже (?:используется|использован|занят)|используется (?:другим|процесс|прилож|програм)",
    r"|занят[\x80-\xbf\xd0]{0,2}(?:[^\x80-\xff]|$)",
    r"|вже (?:використовується|використано|зайнят)",
    // Chinese
    r"|占用|佔用|被[\x80-\xff]{3,24}使用|(?:已|已经|已經|正在|正)被?使用|正在使用|使用中|(?:端口|連接埠)(?:冲突|衝突)",
    // Japanese
    r"|使用されてい(?:ます|る)|使用中(?:です|の)|使われてい(?:ます|る)",
    r"|(?:他の|別の)(?:プロセス|プログラム|アプリ)[\x80-\xff]{0,18}使用",
    // Korean
    r"|사용 ?중(?:입니다|이에요|이므로|이라|임|[.!)]|$)|사용되고 있|다른 (?:프로세스|프로그램)가? ?사용",
);

/// Words that something runs already. They need a port, an address or a path beside them.
pub(in crate::log_errors) const RUNNING: &str = concat!(
    r"\bläuft bereits\b|\bd(?:é|e)j(?:à|a) (?:en cours d.ex|lanc|démarr)|\bya (?:se )?est(?:á|a) (?:ejec|corr)",
    r"|\bjá est(?:á|a) (?:rodando|em exec)|\bgià in esecuzione|уже (?:запущен|работает)",
    r"|已(?:经|經)?(?:在)?(?:运行|運行|启动|啟動)|(?:既に|すでに)(?:起動|実行)|이미 [^.]{0,30}실행",
);

/// A line of ASCII that makes one of these claims contains one of these words.
pub(in crate::log_errors) const CUES: &[&str] = &[
    "bereits",
    "schon ",
    "derzeit ",
    "belegt",
    "deja ",
    "occup",
    " uso",
    "ocupad",
    "siendo ",
    "sendo ",
    "gebrui",
    "bezet",
    "redan ",
    "allerede ",
    "sudah d",
    "sedang d",
];

/// Words right before a claim that deny it.
pub(super) const DENIED: &str = r"(?i)(?:\b(?:no|non|nao|nicht|niet|nie|pas|inte|ikke|nem)|não|не|не был|(?:未|没有?|沒有?|並未|并未|尚未)被?) *$";

/// Words before a claim that make it a supposition.
pub(super) const SUPPOSED: &str = concat!(
    r"(?i)\b(?:wenn|falls|sofern|ob|prüf(?:en|e|t)|pruefen?|vérifie[rz]?|lorsque|cuando|quando|comprob[a-z]+|compruebe|verifi[a-z]+|indien|wanneer|jeśli|gdy|eğer)\b",
    r"|^\W*(?:si|se|als|om)\b|\b(?:ou|y|o|e) si\b|если|Если|провер|Провер|якщо|Якщо|如果|假如|若|是否|检查|檢查|检测|查找|查看|查询|释放|关闭|もし|만약|확인",
);

/// Words behind a claim that make it a supposition, or say that what runs is what is wanted.
pub(super) const SUPPOSED_BEHIND: &str = r"^[\x80-\xff ]{0,12}(?:場合|ときは|なら|かどうか|경우|때|时|時)|^.{0,48}\b(?:it will be (?:re)?used|reusing)\b";

/// A port without its number, beside a claim.
pub(super) const PORT: &str =
    r"(?i)\b(?:ports?|puertos?|portas?|poort|porten|portti|portul)\b|Порт|порт|端口|埠|ポート|포트";

/// The start of a line with a hint, as PostgreSQL translates it.
pub(in crate::log_errors) const HINT: &str = r"(?:\b(?:HINT|TIPP|TIPS|ASTUCE|SUGERENCIA|SUGGERIMENTO|DICA)|PODPOWIEDŹ|İPUCU|ПОДСКАЗКА|ПІДКАЗКА|ヒント|힌트|提示) ?:";

/// Words for a port in letters of ASCII, the longer ones first.
const WORDS: &[&str] = &["puertos", "puerto", "portas", "porta", "porten", "poort", "portti", "portul"];
/// Words for a port in other letters.
const LETTERS: &[&str] =
    &["порт", "Порт", "端口", "連接埠", "通訊埠", "埠", "ポート", "포트", "θύρα", "Θύρα"];

/// Takes the word "port" of another language. It is none if it is the end of another word, as `экспорт` is one.
pub(super) fn port_word(cursor: &mut Cursor<'_>) -> bool {
    let mut next = *cursor;
    if WORDS.iter().any(|word| next.takes(word)) {
        let is_whole = next.peek().is_none_or(|byte| !is_word(byte) && byte < 0x80);
        cursor.at = if is_whole { next.at } else { cursor.at };
        return is_whole;
    }
    let found = LETTERS.iter().find(|word| next.takes(word));
    let is_whole = found.is_some_and(|word| match cursor.before(3) {
        [0xe3, 0x82, 0xa0..=0xff] | [0xe3, 0x83, _] => *word != "ポート",
        [.., 0x80..=0xff] => word.starts_with(['端', '連', '通', '埠', 'ポ']),
        _ => true,
    });
    if is_whole {
        cursor.at = next.at;
    }
    is_whole
}

/// Takes the ending of a word, or a particle behind it.
pub(super) fn ending(cursor: &mut Cursor<'_>) {
    cursor.while_one(ENDING, |byte| byte >= 0x80);
}

/// Takes what counts a port before the word: `80端口`, `8003번 포트`, `5174番ポート`.
pub(super) fn counter(cursor: &mut Cursor<'_>) {
    let _ = cursor.takes("番の") || cursor.takes("番") || cursor.takes("번") || cursor.takes("号");
    let _ = cursor.takes(" ");
}
