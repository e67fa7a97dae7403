// FerretDB as a library: its own command panics when it is built as a module, for want of a generated version file.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// ferretdb ADDRESS:PORT FOLDER
func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: ferretdb ADDRESS:PORT FOLDER")
	}
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: os.Args[1]},
		Handler:   "sqlite",
		SQLiteURL: "file:" + os.Args[2] + "/",
	})
	if err != nil {
		log.Fatal(err)
	}
	untilTold, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := server.Run(untilTold); err != nil {
		log.Fatal(err)
	}
}
