/** What is used of it: the C API of Lua 5.3, under its names. */
declare module 'fengari' {
  export interface State {
    readonly __brand: 'lua_State';
  }
  interface Fengari {
    readonly to_luastring: (text: string) => Uint8Array;
    readonly lua: {
      readonly LUA_OK: number;
      readonly LUA_TTABLE: number;
      readonly lua_createtable: (state: State, items: number, fields: number) => void;
      readonly lua_next: (state: State, index: number) => number;
      readonly lua_pcall: (state: State, args: number, results: number, handler: number) => number;
      readonly lua_pop: (state: State, count: number) => void;
      readonly lua_pushboolean: (state: State, value: boolean) => void;
      readonly lua_pushnil: (state: State) => void;
      readonly lua_pushnumber: (state: State, value: number) => void;
      readonly lua_pushstring: (state: State, value: Uint8Array) => void;
      readonly lua_rawseti: (state: State, index: number, key: number) => void;
      readonly lua_setfield: (state: State, index: number, key: Uint8Array) => void;
      readonly lua_setglobal: (state: State, name: Uint8Array) => void;
      readonly lua_toboolean: (state: State, index: number) => boolean;
      readonly lua_tojsstring: (state: State, index: number) => string;
      readonly lua_tonumber: (state: State, index: number) => number;
      readonly lua_type: (state: State, index: number) => number;
      readonly LUA_TNIL: number;
      readonly LUA_TBOOLEAN: number;
      readonly LUA_TNUMBER: number;
      readonly LUA_TSTRING: number;
    };
    readonly lauxlib: {
      readonly luaL_loadstring: (state: State, text: Uint8Array) => number;
      readonly luaL_newstate: () => State;
      readonly luaL_requiref: (
        state: State,
        name: Uint8Array,
        open: (state: State) => number,
        isGlobal: boolean,
      ) => void;
    };
    readonly lualib: { readonly luaopen_base: (state: State) => number };
  }
  const fengari: Fengari;
  export default fengari;
}
