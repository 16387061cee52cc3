package audit

import (
	"reflect"
	"testing"
	"time"

	"superlistd/lists"
)

// Whatever a member may have besides address, name and day, plain sees.
func TestPlainSeesEveryOption(t *testing.T) {
	t.Parallel()
	if !plain(&lists.Member{Address: lists.Address{Local: "ann", Domain: "m.test"}, Name: "Ann", Since: time.Now()}) {
		t.Error("who has no options is not plain")
	}
	for i := range reflect.TypeFor[lists.Member]().NumField() {
		var m lists.Member
		name := reflect.TypeFor[lists.Member]().Field(i).Name
		if name == "Address" || name == "Name" || name == "Since" {
			continue
		}
		fill(t, reflect.ValueOf(&m).Elem().Field(i))
		if plain(&m) {
			t.Errorf("plain does not see %s", name)
		}
	}
}

// fill gives a field some value.
func fill(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(1)
	case reflect.String:
		v.SetString("x")
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Now()))
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("a field of kind %v", v.Kind())
	}
}
