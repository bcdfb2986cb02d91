// A MongoDB-compatible server for development and tests: FerretDB over SQLite files, one write at a time.
//
// FerretDB reads the documents of a conditional write first and changes them then, in two steps: of fifty such writes at
// once several win. Whoever writes through this program waits for the write before it, so that exactly one does.
package main

import (
	"context"
	"encoding/binary"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

const (
	headerLength   = 16
	opMsg          = 2013
	moreToCome     = 1 << 1
	largestMessage = 64 << 20
)

// Commands that change documents or collections.
var writes = map[string]bool{
	"insert": true, "update": true, "delete": true, "findAndModify": true, "findandmodify": true,
	"create": true, "createIndexes": true, "collMod": true, "drop": true, "dropDatabase": true, "dropIndexes": true,
}

var turn sync.Mutex

// Arguments: the address to listen at, and the folder of the data.
func main() {
	address, folder := os.Args[1], os.Args[2]
	socket := filepath.Join(os.TempDir(), "relink-mongo-"+strconv.Itoa(os.Getpid())+".sock")
	// Left by a killed one that had the same process id.
	os.Remove(socket)
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Handler:   "sqlite",
		SQLiteURL: "file:" + folder + "/",
	})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go accept(listener, socket)
	go endWithParent(stop)
	err = server.Run(ctx)
	os.Remove(socket)
	if err != nil {
		log.Fatal(err)
	}
}

// A starter that was killed stops nothing; a server without it would go on for ever.
func endWithParent(stop func()) {
	for parent := os.Getppid(); os.Getppid() == parent; {
		time.Sleep(time.Second)
	}
	stop()
}

func accept(listener net.Listener, socket string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(client, socket)
	}
}

// A driver has one request at a time on each connection.
func serve(client net.Conn, socket string) {
	defer client.Close()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer server.Close()
	for {
		request, err := read(client)
		if err != nil {
			return
		}
		reply, err := exchange(server, request)
		if err != nil {
			return
		}
		if reply == nil {
			continue
		}
		if _, err := client.Write(reply); err != nil {
			return
		}
	}
}

func exchange(server net.Conn, request []byte) ([]byte, error) {
	if writes[command(request)] {
		turn.Lock()
		defer turn.Unlock()
	}
	if _, err := server.Write(request); err != nil {
		return nil, err
	}
	if flags(request)&moreToCome != 0 {
		return nil, nil
	}
	return read(server)
}

func read(from net.Conn) ([]byte, error) {
	header := make([]byte, headerLength)
	if _, err := io.ReadFull(from, header); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(header)
	if length < headerLength || length > largestMessage {
		return nil, io.ErrUnexpectedEOF
	}
	message := make([]byte, length)
	copy(message, header)
	_, err := io.ReadFull(from, message[headerLength:])
	return message, err
}

func flags(message []byte) uint32 {
	if binary.LittleEndian.Uint32(message[12:]) != opMsg || len(message) < headerLength+4 {
		return 0
	}
	return binary.LittleEndian.Uint32(message[headerLength:])
}

// The first key of a message's body: header, flags, the section's kind, the document's length, the key's type.
func command(message []byte) string {
	const key = headerLength + 4 + 1 + 4 + 1
	if binary.LittleEndian.Uint32(message[12:]) != opMsg || len(message) <= key || message[headerLength+4] != 0 {
		return ""
	}
	for end := key; end < len(message); end++ {
		if message[end] == 0 {
			return string(message[key:end])
		}
	}
	return ""
}
