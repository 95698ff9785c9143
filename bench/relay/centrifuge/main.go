// centrifuge-bench is a minimal relay built on the Centrifuge library (0.15, as
// packaged by Debian 12). It exists only as a rival in the live-event benchmark,
// so every choice here favours the library: all options that save memory or
// avoid needless disconnects are on, everything that costs and that the
// benchmark does not ask for is off.
//
// Usage: centrifuge-bench <listen host:port> <redis host:port>
package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/centrifugal/centrifuge"
)

const (
	// What a client may miss and still recover: the same window for all rivals.
	historySize = 2500
	historyTTL  = 300 * time.Second

	// The library gives up after one second by default, on a client's socket as
	// on a reply of Redis. On a loaded machine, or when thousands of clients
	// recover at once, that would count as failures of the library what is only
	// a queue. A broken Redis connection is still noticed at once.
	patience = 10 * time.Second

	// Bounds a publish, so that a wrong Content-Length can't make us allocate.
	maxPayload = 1 << 20
)

func main() {
	if len(os.Args) != 3 {
		log.Fatalf("usage: %s <listen host:port> <redis host:port>", os.Args[0])
	}
	listen, redisAddress := os.Args[1], os.Args[2]

	cfg := centrifuge.DefaultConfig // queue sizes included: 10 MB per client
	cfg.LogLevel = centrifuge.LogLevelError
	cfg.LogHandler = func(e centrifuge.LogEntry) { log.Printf("%s: %v", e.Message, e.Fields) }
	cfg.ClientChannelLimit = 0 // no limit: a refused subscription would measure nothing
	node, err := centrifuge.New(cfg)
	check(err)

	shard, err := centrifuge.NewRedisShard(node, centrifuge.RedisShardConfig{
		Address:     redisAddress,
		ReadTimeout: patience,
	})
	check(err)
	broker, err := centrifuge.NewRedisBroker(node, centrifuge.RedisBrokerConfig{
		Shards: []*centrifuge.RedisShard{shard},
		// With streams a recovery reads only what was missed; with lists, the
		// default, the whole history of the channel travels on each one.
		UseStreams: true,
	})
	check(err)
	// Only the broker is in Redis: presence is off, so its manager is never called.
	node.SetBroker(broker)

	// Everyone is let in. One shared value and one shared handler, rather than a
	// closure per client, and no middleware: it would copy each request, and the
	// library keeps the request's context as long as the connection lives.
	anonymous := &centrifuge.Credentials{}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: anonymous}, nil
	})
	onSubscribe := func(_ centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
		reply(centrifuge.SubscribeReply{Options: centrifuge.SubscribeOptions{Recover: true}}, nil)
	}
	node.OnConnect(func(client *centrifuge.Client) { client.OnSubscribe(onSubscribe) })

	check(node.Run())

	mux := http.NewServeMux()
	mux.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		// Without it the library lets in only pages of its own host.
		CheckOrigin: func(*http.Request) bool { return true },
		// Clients send little: by default each connection would keep the 4 KB
		// read buffer of the HTTP server for good.
		ReadBufferSize: 512,
		// A write buffer is held only while a frame is written, instead of 4 KB
		// per idle connection (WriteBufferSize has no effect with the pool).
		UseWriteBufferPool: true,
		WriteTimeout:       patience,
		// Compression stays off, the default.
	}))
	mux.HandleFunc("/publish", func(w http.ResponseWriter, r *http.Request) { publish(node, w, r) })
	// We listen only once the node runs, so any answer at all means ready.
	mux.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})

	// Keep-alive is on and without an idle limit by default: publishers reuse
	// their connections.
	log.Fatal(http.ListenAndServe(listen, mux))
}

// publish answers only after Redis took the message, so that a 200 means the
// same as with the other rivals. The payload is passed on unchecked (parsing it
// would be our cost, not the library's) and must hold no newline: JSON frames
// of the protocol are separated by newlines.
func publish(node *centrifuge.Node, w http.ResponseWriter, r *http.Request) {
	channel := r.URL.Query().Get("channel")
	if r.Method != http.MethodPost || channel == "" {
		http.Error(w, "want POST /publish?channel=NAME", http.StatusBadRequest)
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if err == nil {
		_, err = node.Publish(channel, payload, centrifuge.WithHistory(historySize, historyTTL))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
