# report: vercel/next.js#9027
# situation: NODE_OPTIONS=--inspect is inherited by the child of a Node.js program.
# needs: node ss
# cause: same-program
# holder: node parent.js
# relation: ancestor
# first: none
# never: stop-holder other-port
# ci: by hand
cat >parent.js <<'P'
const {fork} = require('child_process');
fork(__dirname + '/worker.js', [], {env: process.env, execArgv: []}).on('exit', () => process.exit());
P
echo 'setTimeout(() => {}, 500)' >worker.js
refused() { NODE_OPTIONS=--inspect node parent.js; }
