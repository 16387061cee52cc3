package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
)

// layout is what a file of ours says it is.
type layout struct {
	format  string
	schema  int
	buckets []string // those that are there from the beginning, beside "meta"

	// kept: once the file was there, one that is missing is lost, and not empty. What waits for a list would
	// be thrown away with it, and its senders be told that there is none.
	kept bool
}

// Every file of ours has bucket "meta", which says what the file is.
const (
	bucketMeta = "meta"
	keyFormat  = "format"
	keySchema  = "schema"
)

// listsLayout: bucket "lists" (key of the list → JSON), bucket "members" (key of the list →
// bucket: key of the member → value), and, since the first member has one, bucket "aliases"
// (key of the list → bucket: key of the alias → key of the member).
func listsLayout() layout {
	return layout{format: "superlistd lists", schema: 1, buckets: []string{bucketLists, bucketMembers}, kept: true}
}

const (
	bucketLists   = "lists"
	bucketMembers = "members"
	bucketAliases = "aliases"
)

// checkSchema refuses a bbolt file of somebody else, and one of a later version of us.
func (d *dataFile) checkSchema(tx *bolt.Tx) error {
	meta := tx.Bucket([]byte(bucketMeta))
	if meta == nil || string(meta.Get([]byte(keyFormat))) != d.layout.format {
		return d.unusable(fmt.Errorf("not a file of %s", d.layout.format))
	}
	if err := d.checkVersion(meta.Get([]byte(keySchema))); err != nil {
		return err
	}
	for _, name := range d.layout.buckets {
		if tx.Bucket([]byte(name)) == nil {
			return d.unusable(errors.New("damaged: buckets are missing"))
		}
	}
	return nil
}

func (d *dataFile) checkVersion(value []byte) error {
	version, err := strconv.Atoi(string(value))
	switch {
	case err != nil || version < 1:
		return d.unusable(fmt.Errorf("schema version %q makes no sense", value))
	case version > d.layout.schema:
		return fmt.Errorf("%s: %w: schema %d, this program knows %d", d.path, lists.ErrSchema, version, d.layout.schema)
	}
	return nil
}

// makeFile makes an empty store. It is called under the turnstile. The file appears
// under its name when it is complete, so a crash leaves no half of one.
func (d *dataFile) makeFile() error {
	temp := d.path + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d.unusable(err)
	}
	err := d.fillFile(temp)
	if err == nil {
		err = os.Rename(temp, d.path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(d.path))
	}
	if err != nil {
		_ = os.Remove(temp)
		return d.unusable(fmt.Errorf("make the file: %w", err))
	}
	return nil
}

func (d *dataFile) fillFile(path string) error {
	db, err := bolt.Open(path, fileMode, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range append([]string{bucketMeta}, d.layout.buckets...) {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		meta := tx.Bucket([]byte(bucketMeta))
		return errors.Join(
			meta.Put([]byte(keyFormat), []byte(d.layout.format)),
			meta.Put([]byte(keySchema), fmt.Append(nil, d.layout.schema)),
		)
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.giveAway(f), f.Close())
}

// giveAway gives a file that root has made to the owner of the folder: listctl, run by
// root, must not lock the daemon out.
func (d *dataFile) giveAway(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	folder, err := os.Stat(filepath.Dir(d.path))
	if err != nil {
		return err
	}
	want, ok := folder.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return f.Chown(int(want.Uid), int(want.Gid))
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Where a bbolt meta page has what (bbolt's internal/common, page 16 octets, then meta).
const (
	metaMagic    = 0xED0CDAED
	pageHeader   = 16
	offsetPage   = 8  // page size, 4 octets
	offsetFree   = 32 // page of the freelist, 8 octets
	offsetHigh   = 40 // number of pages, 8 octets
	offsetCommit = 48 // transaction number, 8 octets
	offsetSum    = 56 // FNV-1a of what stands before, 8 octets
	metaSize     = 64
)

type metaPage [metaSize]byte

func (m *metaPage) valid() bool {
	h := fnv.New64a()
	_, _ = h.Write(m[:offsetSum])
	return binary.NativeEndian.Uint32(m[:]) == metaMagic && h.Sum64() == binary.NativeEndian.Uint64(m[offsetSum:])
}

func (m *metaPage) pageSize() int64 { return int64(binary.NativeEndian.Uint32(m[offsetPage:])) }
func (m *metaPage) free() uint64    { return binary.NativeEndian.Uint64(m[offsetFree:]) }
func (m *metaPage) high() uint64    { return binary.NativeEndian.Uint64(m[offsetHigh:]) }
func (m *metaPage) commit() uint64  { return binary.NativeEndian.Uint64(m[offsetCommit:]) }

// readMeta reads both meta pages, as far as they are there.
func readMeta(f *os.File) (m [2]metaPage) {
	_, _ = f.ReadAt(m[0][:], pageHeader)
	size := int64(os.Getpagesize())
	if m[0].valid() {
		size = m[0].pageSize()
	}
	_, _ = f.ReadAt(m[1][:], size+pageHeader)
	return m
}

// checkMeta refuses what bbolt would initialise anew (an empty file), or map beyond its
// end and fault on (a truncated one).
func checkMeta(f *os.File, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	m := readMeta(f)
	latest := -1
	for i := range m {
		if m[i].valid() && (latest < 0 || m[i].commit() > m[latest].commit()) {
			latest = i
		}
	}
	if latest < 0 {
		return errors.New("not a bbolt file, or its head is damaged")
	}
	if pages := uint64(info.Size()) / uint64(max(m[latest].pageSize(), 1)); pages < m[latest].high() {
		return fmt.Errorf("truncated: %d pages of %d are there", pages, m[latest].high())
	}
	return checkFreelist(f, &m[latest])
}

// checkFreelist looks at the head of the freelist's page: a commit frees it with as many
// pages as it says, and one damaged octet there would cost gigabytes.
func checkFreelist(f *os.File, m *metaPage) error {
	const noFreelist = ^uint64(0)
	page := m.free()
	if page == noFreelist {
		return nil
	}
	var head [pageHeader]byte // number, 8 octets; flags, 2; count, 2; further pages, 4
	if page < m.high() {
		_, _ = f.ReadAt(head[:], int64(page)*m.pageSize())
	}
	further := uint64(binary.NativeEndian.Uint32(head[12:]))
	if binary.NativeEndian.Uint64(head[:]) != page || page+further >= m.high() {
		return errors.New("damaged: the freelist is not where it should be")
	}
	return nil
}
