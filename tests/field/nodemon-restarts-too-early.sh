# report: remy/nodemon#1889
# situation: nodemon starts the new process before the old one, which handles its signal slowly, has ended.
# needs: npm:nodemon node ss
# cause: same-program
# holder: node app.js
# relation: sibling
# first: none
# never: other-port
# ci: by hand
cat >app.js <<'P'
require('http').createServer().listen(8334, () => console.log('ready'));
process.on('SIGUSR2', () => setTimeout(() => process.exit(), 3000));
P
refused() {
    nodemon -q app.js >n.log 2>&1 & local pid=$!
    up 8334; echo '//' >>app.js
    until_true says EADDRINUSE n.log; kill $(tree $pid)
}
