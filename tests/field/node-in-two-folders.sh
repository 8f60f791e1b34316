# report: –
# situation: Two copies of a project run one server of Node.js, each in its folder.
# needs: node ss
# cause: same-program
# holder: node server.js
# relation: other-folder
# first: other-port
# ci: by hand
mkdir -p a b
for folder in a b; do echo 'require("http").createServer().listen(process.argv[2]).on("error", () => setTimeout(process.exit, 500))' >$folder/server.js; done
holder() { (cd a && exec node server.js 8429) & up 8429; }
refused() { cd b && node server.js 8429; }
fixed() { cd b && starts 8430 node server.js 8430; }
