# report: forwardemail/supertest#568
# situation: Each test file imports the server, which listens; the runner plays the files at once.
# needs: node
# cause: listener
# holder: node
# relation: worker
# first: open-once
# ci: by hand
cat >app.js <<'P'
const s = require('http').createServer((q, r) => r.end('x'));
if (!process.env.FIX || require.main === module) s.listen(3000);
module.exports = s;
P
for i in a b; do
    echo 'const t = require("node:test"), s = require("./app.js"); t("x", async () => { await new Promise(r => setTimeout(r, 1500)); if (!s.listening) await new Promise(r => s.listen(0, r)); await new Promise(r => s.close(r)) })' >$i.test.js
done
refused() { node --test --test-concurrency=2 a.test.js b.test.js; }
fixed() { FIX=1 node --test --test-concurrency=2 a.test.js b.test.js; }
