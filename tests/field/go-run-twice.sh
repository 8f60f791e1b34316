# report: chromium/hstspreload.org#10
# situation: `go run` of a server that runs already: the compiler gives each run a file of its own.
# needs: go ss
# cause: same-program
# holder: server
# relation: none
# first: other-port
# ci: by hand
cat >server.go <<'G'
package main
import ("log"; "net/http"; "os")
func main() { log.Fatal(http.ListenAndServe("127.0.0.1:" + os.Args[1], nil)) }
G
export GOFLAGS=-mod=mod GOCACHE=$FIELD/go-cache
holder() { go run server.go 8427 & up 8427; }
refused() { go run server.go 8427; }
fixed() { starts 8428 go run server.go 8428; }
