// Command argolua runs one of Argo CD's health checks: argolua SCRIPT.lua < OBJECT.json prints {"status":..., "message":...}.
// The interpreter, the libraries that a script may use and its time are those that Argo CD gives it with useOpenLibs=false.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	lua "github.com/yuin/gopher-lua"
	luajson "layeh.com/gopher-json"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	script, err := os.ReadFile(os.Args[1])
	check(err)
	var object map[string]any
	check(json.NewDecoder(os.Stdin).Decode(&object))
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	libraries := map[string]lua.LGFunction{lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable}
	for _, name := range []string{lua.LoadLibName, lua.BaseLibName, lua.TabLibName} {
		check(state.CallByParam(lua.P{Fn: state.NewFunction(libraries[name]), Protect: true}, lua.LString(name)))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	state.SetContext(ctx)
	state.SetGlobal("obj", luajson.DecodeValue(state, object))
	check(state.DoString(string(script)))
	found, err := luajson.Encode(state.Get(-1))
	check(err)
	fmt.Println(string(found))
}
