package memstore_test

import (
	"testing"

	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/lists/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) lists.Store { return memstore.New() })
}
