# report: vercel/next.js#9027
# situation: NODE_OPTIONS=--inspect is inherited by the child of a Node.js program.
# needs: node ss
# cause: listener
# holder: node parent.js
# relation: ancestor
# first: open-once
# never: stop-holder
# ci: by hand
cat >parent.js <<'P'
const {fork} = require('child_process');
fork(__dirname + '/worker.js', [], {env: process.env, execArgv: []}).on('exit', () => process.exit());
P
echo 'setTimeout(() => {}, 1500)' >worker.js
# Only the parent gets the option.
fixed() { starts 9229 node --inspect parent.js; }
refused() { NODE_OPTIONS=--inspect node parent.js; }
