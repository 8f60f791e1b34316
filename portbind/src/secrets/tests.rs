use proptest::prelude::*;

use super::shell;
use super::words::mask;

fn masked(words: &str) -> String {
    let args: Vec<String> = words.split('|').map(str::to_owned).collect();
    mask(&args).unwrap_or(args).join("|")
}

#[test]
fn secrets_are_masked() {
    for (args, expected) in [
        ("srv|--password|hunter2|--port|80", "srv|--password|***|--port|80"),
        ("srv|--password=hunter2", "srv|--password=***"),
        ("srv|--password|-hunter2", "srv|--password|***"),
        ("srv|--password|--token|hunter2", "srv|--password|--token|***"),
        ("x|me:hunter2@host/db|bob:hunter2@host:repo", "x|me:***@host/db|bob:***@host:repo"),
        (
            "curl|--proxy|bob:hunter2@proxy:8080|-su|bob:hunter2",
            "curl|--proxy|bob:***@proxy:8080|-su|bob:***",
        ),
        ("curl|-sSubob:hunter2|-fsSL|-u|bob:x", "curl|-sSubob:***|-fsSL|-u|bob:***"),
        (
            "docker|run|-e|DSN=hunter2|-eSTRIPE=x|--env=A=b|-e|PORT=8080|i",
            "docker|run|-e|DSN=***|-eSTRIPE=***|--env=A=***|-e|PORT=8080|i",
        ),
        (
            "docker|run|-e|DB_PASSWORD=a hunter2|--env=TOKEN=a b",
            "docker|run|-e|DB_PASSWORD=***|--env=TOKEN=***",
        ),
        ("docker|build|--build-arg|NPM_TOKEN=a hunter2", "docker|build|--build-arg|NPM_TOKEN=***"),
        ("env|PASSWORD=a&hunter2|PASSWORD=a b|x", "env|PASSWORD=***|PASSWORD=***|x"),
        ("srv|--password|--Hunter2|--port|80", "srv|--password|***|--port|80"),
        (
            "srv|--passwd:hunter2|{password:hunter2}|{password: hunter2}",
            "srv|--passwd:***|{password:***|{password: ***",
        ),
        ("sh|-c|bash -c 'mysql -phunter2'", "sh|-c|bash -c 'mysql -p***'"),
        ("sh|-c|a && sh -c 'x --token hunter2' b", "sh|-c|a && sh -c 'x --token ***' b"),
        ("sh|-c|sh -c \"sh -c 'mysql -phunter2'\"", "sh|-c|sh -c \"sh -c 'mysql -p***'\""),
        ("sh|-c|(mysql -phunter2)", "sh|-c|(mysql -p***)"),
        ("sh|-c|cd x;curl -u me:hunter2 h", "sh|-c|cd x;curl -u me:*** h"),
        ("x|Host=h;Username=u;Password=hunter2", "x|Host=h;Username=u;Password=***"),
        ("x|Server=h;User=u;Pwd=hunter2;", "x|Server=h;User=u;Pwd=***"),
        (
            "git|clone|https://hunter2@github.com/a|https://k@o1.ingest.sentry.io/2",
            "git|clone|https://***@github.com/a|https://***@o1.ingest.sentry.io/2",
        ),
        ("x|postgres://me:a/b#c?d@h/db", "x|postgres://me:***@h/db"),
        ("x|jdbc:oracle:thin:scott/hunter2@h:1521", "x|jdbc:oracle:thin:scott/***@h:1521"),
        (
            "x|https://a/b?sig=hunter2&x=1|https://a?X-Amz-Signature=x",
            "x|https://a/b?sig=***&x=1|https://a?X-Amz-Signature=***",
        ),
        ("x|https://hooks.slack.com/services/T0/B0/hunter2", "x|https://***"),
        ("srv|--no-token=hunter2|SKIP_AUTH=hunter2", "srv|--no-token=***|SKIP_AUTH=***"),
        ("srv|-password|hunter2", "srv|-password|***"),
        ("srv|--db-pass=a,b=c&d", "srv|--db-pass=***"),
        ("srv|--api-key|k|--secret-key=k|--auth=x:y", "srv|--api-key|***|--secret-key=***|--auth=***"),
        (
            "java|-Dspring.datasource.password=x|-jar|a.jar",
            "java|-Dspring.datasource.password=***|-jar|a.jar",
        ),
        ("env|TOKEN=x|A=b|prog", "env|TOKEN=***|A=b|prog"),
        (
            "docker|run|-e|DB_PASSWORD=x|-eAPI_TOKEN=y|img",
            "docker|run|-e|DB_PASSWORD=***|-eAPI_TOKEN=***|img",
        ),
        ("docker|run|--env=NPM_TOKEN=x|--env|A=1", "docker|run|--env=NPM_TOKEN=***|--env|A=1"),
        ("docker|build|--build-arg|GITHUB_TOKEN=x|.", "docker|build|--build-arg|GITHUB_TOKEN=***|."),
        ("docker|login|-u|me|-p|x", "docker|login|-u|me|-p|***"),
        ("helm|--set|db.user=a,db.password=x", "helm|--set|db.user=a,db.password=***"),
        ("/usr/bin/mysql|-uroot|-phunter2|-P|3306", "/usr/bin/mysql|-uroot|-p***|-P|3306"),
        ("mysql|-p|db", "mysql|-p|db"),
        ("sshpass|-p|x|ssh|-p|22|h", "sshpass|-p|***|ssh|-p|22|h"),
        ("redis-cli|-a|x|ping", "redis-cli|-a|***|ping"),
        ("curl|-u|me:x|https://a", "curl|-u|me:***|https://a"),
        ("curl|-ume:x|--user=me:x|--user|me", "curl|-ume:***|--user=me:***|--user|me"),
        ("curl|-H|Authorization: Bearer abc|-H|Accept: a/b", "curl|-H|Authorization: ***|-H|Accept: a/b"),
        ("curl|-H|X-Api-Key:abc", "curl|-H|X-Api-Key: ***"),
        ("curl|--header=PRIVATE-TOKEN: abc", "curl|--header=PRIVATE-TOKEN: ***"),
        ("x|Authorization: Bearer abc def", "x|Authorization: ***"),
        ("psql|postgres://me:p@ss@db/x?sslmode=a", "psql|postgres://me:***@db/x?sslmode=a"),
        ("git|clone|https://ghp_0123456789abcdef0123@github.com/a", "git|clone|https://***@github.com/a"),
        ("git|clone|ssh://git@github.com/a", "git|clone|ssh://git@github.com/a"),
        ("wget|https://a/b?x=1&token=abc&y=2", "wget|https://a/b?x=1&token=***&y=2"),
        ("x|glpat-0123456789abcdefghij", "x|***"),
        ("x|xoxb-123456789012-abcdef", "x|***"),
        ("x|AKIAIOSFODNN7EXAMPLE", "x|***"),
        ("x|eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "x|***"),
        ("x|-----BEGIN RSA PRIVATE KEY-----\nabc", "x|***"),
        ("openssl|-passin|pass:hunter2", "openssl|-passin|pass:***"),
        ("sh|-c|mysql -phunter2 db && run --token abc -v", "sh|-c|mysql -p*** db && run --token *** -v"),
        (
            "sh|-c|curl -H 'Authorization: Bearer abc' -u 'me:x'",
            "sh|-c|curl -H 'Authorization: ***' -u 'me:***'",
        ),
        ("sh|-c|x='a PASSWORD='hunter2", "sh|-c|x='a PASSWORD='***'"),
        ("sh|-c|PASSWORD='a b' ./run --port 1", "sh|-c|PASSWORD='***' ./run --port 1"),
        (
            "node|-e|connect({\"password\": \"x y\", \"user\": \"me\"})",
            "node|-e|connect({\"password\": \"***\", \"user\": \"me\"})",
        ),
        ("python3|-c|password = 'x y'; run()", "python3|-c|password = '***'; run()"),
    ] {
        assert_eq!(masked(args), expected, "{args}");
    }
}

#[test]
fn fields_of_other_notations_are_masked() {
    for (args, expected) in [
        ("x|http://h/?a=1&session=hunter2&b=2", "x|http://h/?a=1&session=***&b=2"),
        (
            "x|http://h/?sessionid=hunter2|http://h/?session_id=hunter2#a",
            "x|http://h/?sessionid=***|http://h/?session_id=***",
        ),
        ("x|http://h/a;jsessionid=hunter2|PHPSESSID=hunter2", "x|http://h/a;jsessionid=***|PHPSESSID=***"),
        (
            "x|https://h/cb?code=hunter2&state=x|/cb?state=x&code=4/0AX",
            "x|https://h/cb?code=***&state=x|/cb?state=x&code=***",
        ),
        (
            "x|https://h/?code_verifier=hunter2|GET /?code=hunter2 HTTP/1.1",
            "x|https://h/?code_verifier=***|GET /?code=*** HTTP/1.1",
        ),
        (
            "x|http://h/?pass%77ord=hunter2&a=1|http://h/?%70%77=hunter2",
            "x|http://h/?pass%77ord=***&a=1|http://h/?%70%77=***",
        ),
        (
            "x|http://h/?a%5Bpassword%5D=hunter2|http://h/?s%65ssion=hunter2",
            "x|http://h/?a%5Bpassword%5D=***|http://h/?s%65ssion=***",
        ),
        (
            "php|-r|f([\"api_key\" => \"hunter2\", 'a' => 'b']);",
            "php|-r|f([\"api_key\" => \"***\", 'a' => 'b']);",
        ),
        ("ruby|-e|f(:token=>'hunter2', a=>1)", "ruby|-e|f(:token=>'***', a=>1)"),
        ("x|api_key := \"hunter2\"|api_key:=hunter2", "x|api_key := \"***\"|api_key:=***"),
        ("x|<a><password>hunter2</password><b>c</b></a>", "x|<a><password>***</password><b>c</b></a>"),
        (
            "x|<wsse:Password Type=\"t\">hunt er2</wsse:Password>",
            "x|<wsse:Password Type=\"t\">***</wsse:Password>",
        ),
        ("x|<api-key><![CDATA[hunter2]]></api-key>", "x|<api-key>***</api-key>"),
    ] {
        assert_eq!(masked(args), expected, "{args}");
    }
}

#[test]
fn words_that_are_no_secrets_stay() {
    for args in [
        "srv|http://h/?code=404&session=true&a%20b=c|session=abc|XDG_SESSION_ID=abc|code=abcd",
        "srv|<b>text</b><password></password><user>me</user>|a => b|port := 80",
        "python3|-m|http.server|8000",
        "python3|-u|app.py",
        "java|-cp|a:b|Main|--port=80",
        "docker|run|--user|1000:1000|-v|auth:/data|registry/token:1.2",
        "nginx: worker process",
        "ssh|-p|22|me@host",
        "srv|--password-file|/run/secrets/x|--no-auth|x",
        "http://localhost:8080/users/a@b.c",
        "docker|run|image:1.2@sha256:0123",
        "srv|--password-stdin|x",
        "srv|--no-password|x|--enable-auth=true|USE_TOKEN=0",
        "srv|--max-tokens=100|--n-tokens|5|--max-num-batched-tokens|4096",
        "srv|--public-key=abc|--primary-key|id|--sort-key|name",
        "make|-j4|CFLAGS=-O2",
        "env|PWD=/home/me|prog",
        "srv|--config=/etc/x.yaml|--bind|[::]:80",
        "sh|-c|exec task-runner --name a=b 'c d'",
        "",
    ] {
        assert_eq!(masked(args), args);
        let words: Vec<String> = args.split('|').map(str::to_owned).collect();
        assert_eq!(mask(&words), None);
    }
}

#[test]
fn logins_are_masked() {
    for (args, expected) in [
        ("srv|-u|me:hunter2|--port|80", "srv|-u|me:***|--port|80"),
        ("srv|--user|me:hunter2|-U|me:hunter2", "srv|--user|me:***|-U|me:***"),
        ("srv|--user=me:hunter2|-u=me:a:b|-ume:12345", "srv|--user=me:***|-u=me:***|-ume:***"),
        ("srv|--proxy-user|me@x.org:hunter2|-u|:hunter2", "srv|--proxy-user|me@x.org:***|-u|:***"),
        ("srv|--basic-auth|me:hunter2|--basic-auth=me:hunter2", "srv|--basic-auth|***|--basic-auth=***"),
        ("srv|-u|https://me:hunter2@h/|--user|https://k@h", "srv|-u|https://me:***@h/|--user|https://***@h"),
        ("sh|-c|exec srv -u 'me:hunter2' -v", "sh|-c|exec srv -u 'me:***' -v"),
        ("python3|-u|app.py|-u|me:hunter2", "python3|-u|app.py|-u|me:***"),
        ("env|A=b|sudo|srv|-u|me:hunter2", "env|A=b|sudo|srv|-u|me:***"),
        ("docker|run|-u|curl|-u|me:hunter2", "docker|run|-u|curl|-u|me:***"),
        ("srv|--user=sh -c 'mysql -phunter2'", "srv|--user=sh -c 'mysql -p***'"),
        ("docker|run|i|srv|-u|me:Hunter2", "docker|run|i|srv|-u|me:***"),
        ("srv|-u|mysql|-phunter2", "srv|-u|mysql|-p***"),
        ("smbclient|-U|me%hunter2|//h/s", "smbclient|-U|me%***|//h/s"),
        ("smbclient|--user=me%hunter2", "smbclient|--user=me%***"),
        ("lftp|-u|me,hunter2|h", "lftp|-u|me,***|h"),
        ("x|--dsn|me:a/b@tcp(h:1)/db|--db-dsn=me:a@/db", "x|--dsn|me:***@tcp(h:1)/db|--db-dsn=me:***@/db"),
        ("x|--dsn=scott/tiger@h:1521/x", "x|--dsn=scott/***@h:1521/x"),
        ("x|DSN=db;UID=me;PWD=hunter2", "x|DSN=db;UID=me;PWD=***"),
    ] {
        assert_eq!(masked(args), expected, "{args}");
    }
}

#[test]
fn options_and_places_of_programs_are_masked() {
    for (args, expected) in [
        (
            "kubectl|create|secret|--from-literal=a=hunter2|--from-literal|b=1",
            "kubectl|create|secret|--from-literal=a=***|--from-literal|b=***",
        ),
        ("docker|run|--network|net|-e|A=hunter2|i", "docker|run|--network|net|-e|A=***|i"),
        ("kubectl|run|x|--env=A=hunter2|--env|B=hunter2", "kubectl|run|x|--env=A=***|--env|B=***"),
        ("xfreerdp|/u:me|/p:a=b|/v:h|/pcb:x", "xfreerdp|/u:me|/p:***|/v:h|/pcb:***"),
        ("x.exe|/p:hunter2|/password:hunter2|/Token:a b", "x.exe|/p:***|/password:***|/Token:***"),
        ("rdesktop|-u|me|-p|hunter2|h", "rdesktop|-u|me|-p|***|h"),
        ("htpasswd|-b|file|me|hunter2", "htpasswd|-b|file|me|***"),
        ("/usr/bin/htpasswd|-nbBC|10|me|hunter2", "/usr/bin/htpasswd|-nbBC|10|me|***"),
        ("sh|-c|htpasswd -c -b f me 'hunter2' && x y", "sh|-c|htpasswd -c -b f me '***' && x y"),
        ("rabbitmqctl|add_user|me|hunter2", "rabbitmqctl|add_user|me|***"),
        ("ngrok|config|add-authtoken|hunter2", "ngrok|config|add-authtoken|***"),
        ("sshpass|-phunter2|ssh|h", "sshpass|-p***|ssh|h"),
        ("mosquitto_pub|-u|me|-P|hunter2|-p|1883", "mosquitto_pub|-u|me|-P|***|-p|1883"),
        ("ldapsearch|-D|cn=x|-w|hunter2", "ldapsearch|-D|cn=x|-w|***"),
        ("ipmitool|-U|me|-P|hunter2|-k|key", "ipmitool|-U|me|-P|***|-k|***"),
        ("zip|-P|hunter2|x", "zip|-P|***|x"),
        ("unzip|-P|hunter2|x", "unzip|-P|***|x"),
        ("7zz|a|-phunter2|x.7z", "7zz|a|-p***|x.7z"),
        ("rar|a|-hphunter2|x", "rar|a|-hp***|x"),
        ("env|PGPASSWORD=hunter2|psql|-U|me", "env|PGPASSWORD=***|psql|-U|me"),
        ("openssl|enc|-k|hunter2|-passin|pass:hunter2", "openssl|enc|-k|***|-passin|pass:***"),
    ] {
        assert_eq!(masked(args), expected, "{args}");
    }
}

#[test]
fn names_and_fields_are_masked() {
    for (args, expected) in [
        ("srv|--otp|123456|--pin|1234|--so-pin=1234", "srv|--otp|***|--pin|***|--so-pin=***"),
        ("srv|--pat|x|GITHUB_PAT=x|--masterauth|x", "srv|--pat|***|GITHUB_PAT=***|--masterauth|***"),
        ("srv|--pat|x", "srv|--pat|***"),
        ("srv|GITHUB_PAT=x", "srv|GITHUB_PAT=***"),
        ("srv|--tokens=x|--key|x", "srv|--tokens=***|--key|***"),
        ("srv|--sas|x|--sas-token|x|--signature|x", "srv|--sas|***|--sas-token|***|--signature|***"),
        ("srv|--client-secret|x|--access-key|x", "srv|--client-secret|***|--access-key|***"),
        ("srv|--account-key=x|--connection-string|A=b;C=d", "srv|--account-key=***|--connection-string|***"),
        ("x|password: hunter2|password:|hunter2", "x|password: ***|password:|***"),
        ("x|Authorization:|Bearer|hunter2|a", "x|Authorization:|Bearer|***|a"),
        ("x|Bearer|hunter2|a", "x|Bearer|***|a"),
        ("x|Authorization:|hunter2|a", "x|Authorization:|***|a"),
        ("srv|-H|X-Api-Key: a b|-HX-Auth-Token:v", "srv|-H|X-Api-Key: ***|-HX-Auth-Token: ***"),
        ("srv|--header|Token:v|--header=Cookie:a=b; c=d", "srv|--header|Token: ***|--header=Cookie: ***"),
        ("sh|-c|srv --pin 1234 && echo password: hunter2", "sh|-c|srv --pin *** && echo password: ***"),
        ("srv|--use-pin=1234|--no-token=hunter2", "srv|--use-pin=***|--no-token=***"),
    ] {
        assert_eq!(masked(args), expected, "{args}");
    }
}

#[test]
fn words_that_resemble_a_login_stay() {
    for args in [
        "docker|run|-u|1000:1000|--user|app:app|-p|8080:80|i",
        "docker|run|-u1000:1000|--user=app:docker|i",
        "podman|exec|-u|www-data:www-data|c|sh",
        "chpst|-u|www-data:adm|srv",
        "crun|exec|--user|1000:1000|c|sh",
        "chown|-R|app:app|/data",
        "install|-o|app|-g|app|a|/b",
        "sudo|-u|app|srv|-p|8080:80",
        "srv|-u|1000:1000|--user|0:0",
        "srv|-u|127.0.0.1:8080|-U|localhost:80|-u|:8080|-u|[::1]:80|-u|::1",
        "srv|-u|/run/a:b|-U|http://h:80/|--user|me|-u|me:",
        "socat|-u|UDP-LISTEN:53,fork|STDOUT",
        "mvn|-U|spring-boot:run",
        "rsync|-u|host:dir|.",
        "git|push|-u|origin|HEAD:main",
        "date|-u|+%H:%M",
        "srv|-udp:53|-unix:/run/x|-url:x",
        "srv|-H|host:80|--header|Accept: a/b|-Header",
        "dotnet|build|/p:Configuration=Release|/v:minimal",
        "srv|--dsn|postgres://h/db|--dsn=/run/a@b",
        "htpasswd|-c|file|me",
        "srv|--token-file|/run/x|--password-file|/run/x|--pin-memory|true",
        "srv|--use-token=10|--require-auth=yes",
        "srv|/data:/data|/p:|key|8080",
        "kubectl|create|--from-literal|x",
    ] {
        assert_eq!(masked(args), args);
    }
}

fn words() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![
        any::<String>(),
        "[-=: '\"a-zA-Z@/&,.*]{0,24}",
        Just("--password".to_owned()),
        Just("-p".to_owned()),
        Just("mysql".to_owned()),
        Just("curl".to_owned()),
        Just("-H".to_owned()),
        Just("TOKEN=x".to_owned()),
        Just("https://a:b@c".to_owned()),
        Just("Authorization: Bearer x".to_owned()),
        Just("sh -c 'mysql -px --token y'".to_owned()),
        "-[uUH]|--user|--dsn|--from-literal|docker|htpasswd|-b|Authorization:|Bearer".prop_map(String::from),
        "[a-z0-9:/@=*-]{0,12}",
        "/p:[a-z=]{0,4}",
    ];
    proptest::collection::vec(word, 0..8)
}

proptest! {
    /// The number of words stays the same, and masking a second time changes nothing.
    #[test]
    fn masking_keeps_the_words_and_is_done_once(args in words()) {
        let once = mask(&args).unwrap_or_else(|| args.clone());
        prop_assert_eq!(once.len(), args.len());
        for (masked, arg) in once.iter().zip(&args) {
            prop_assert!(masked.len() <= arg.len() * 4 + 8, "{} of {}", masked, arg);
        }
        prop_assert_eq!(mask(&once).unwrap_or_else(|| once.clone()), once);
    }

    /// The value of an option with such a name is masked, whatever surrounds it.
    #[test]
    fn a_password_is_never_left(secret in "[a-z0-9]{12}q", before in "[a-z0-9-]{0,8}", after in "[ -~]{0,8}") {
        let args = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        for args in [
            args(&["x", &before, "--password", &secret, &after]),
            args(&["x", &format!("--{before}-token={secret}"), &after]),
            args(&["x", &format!("postgres://{before}:{secret}@h"), &after]),
            args(&["sh", "-c", &format!("run --secret {secret} {after}")]),
            args(&["env", &format!("DB_PASSWORD={secret}{after}"), "x"]),
        ] {
            let masked = mask(&args).unwrap_or_default();
            prop_assert!(!masked.is_empty() && !masked.iter().any(|word| word.contains(&secret)), "{:?}", masked);
        }
    }

    #[test]
    fn a_command_is_put_together_again(text in "[ a'\"\t\n-]{0,24}") {
        let whole: String = shell::tokens(&text).iter().flat_map(|(gap, word)| [*gap, *word]).collect();
        prop_assert_eq!(whole, text);
    }
}
