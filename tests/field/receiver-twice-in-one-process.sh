# report: open-telemetry/opentelemetry-collector-contrib#18734
# situation: One process opens the same listener twice.
# needs: go ss
# cause: own-socket
# holder: otelcol
# relation: none
# first: close-first
# never: stop-holder other-port reuse-address
# ci: by hand
holder() {
    go_program otelcol <<'G'
package main
import ("net"; "log"; "os"; "time")
func main() {
    l, _ := net.Listen("tcp", ":8088")
    if len(os.Args) > 1 { l.Close() }
    if _, e := net.Listen("tcp", ":8088"); e != nil { log.Fatalf("cannot start pipelines: %v", e) }
    time.Sleep(time.Minute)
}
G
}
refused() { ./otelcol; }
fixed() { starts 8088 ./otelcol close; }
