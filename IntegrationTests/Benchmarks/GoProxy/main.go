// The reverse proxy of Go's standard library, as kamal-proxy and others are built upon it: nothing but forwarding.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "where requests are taken")
	backend := flag.String("backend", "", "where they go, such as http://127.0.0.1:8080")
	connections := flag.Int("connections", 256, "connections to the backend that are kept")
	logs := flag.Bool("access-log", false, "write a line for each request")
	flag.Parse()
	target, err := url.Parse(*backend)
	if err != nil {
		log.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	forward := proxy.Director
	proxy.Director = func(request *http.Request) {
		forward(request)
		introduce(request)
	}
	proxy.Transport = &http.Transport{MaxIdleConns: *connections, MaxIdleConnsPerHost: *connections, DisableCompression: true}
	log.Fatal(http.ListenAndServe(*listen, handler(proxy, *logs)))
}

// What the others tell of a request too; the proxy itself adds X-Forwarded-For.
func introduce(request *http.Request) {
	client, _, _ := net.SplitHostPort(request.RemoteAddr)
	var id [16]byte
	_, _ = rand.Read(id[:])
	request.Header.Set("X-Forwarded-Proto", "http")
	request.Header.Set("X-Forwarded-Host", request.Host)
	request.Header.Set("X-Real-IP", client)
	request.Header.Set("X-Request-Id", hex.EncodeToString(id[:]))
	request.Header.Set("X-Request-Start", "t="+strconv.FormatInt(time.Now().UnixMilli(), 10))
}

func handler(proxy http.Handler, logs bool) http.Handler {
	if !logs {
		return proxy
	}
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		began := time.Now()
		proxy.ServeHTTP(answer, request)
		fmt.Fprintf(os.Stdout, "%s %s \"%s %s\" %s\n", began.UTC().Format(time.RFC3339Nano), request.RemoteAddr, request.Method, request.URL.Path, time.Since(began))
	})
}
