package memstore_test

import (
	"testing"

	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/lists/storetest"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	storetest.RunHistory(t, func(*testing.T) lists.History { return memstore.NewHistory() })
}
