import type { State } from 'fengari';
import fengari from 'fengari';

const { lua, lauxlib, lualib, to_luastring: text } = fengari;

/**
 * What a script gives back that finds an object in the global `obj`, as Argo CD hands it over. Of Lua's libraries it has the
 * base alone: a script in Argo CD's ConfigMap has little more.
 */
export function runLua(script: string, obj: unknown): unknown {
  const state = lauxlib.luaL_newstate();
  lauxlib.luaL_requiref(state, text('_G'), lualib.luaopen_base, true);
  lua.lua_pop(state, 1);
  push(state, obj);
  lua.lua_setglobal(state, text('obj'));
  const isLoaded = lauxlib.luaL_loadstring(state, text(script)) === lua.LUA_OK;
  if (!isLoaded || lua.lua_pcall(state, 0, 1, 0) !== lua.LUA_OK)
    throw new Error(lua.lua_tojsstring(state, -1));
  return taken(state);
}

function push(state: State, value: unknown): void {
  if (typeof value === 'string') lua.lua_pushstring(state, text(value));
  else if (typeof value === 'number') lua.lua_pushnumber(state, value);
  else if (typeof value === 'boolean') lua.lua_pushboolean(state, value);
  else if (typeof value === 'object' && value !== null) pushTable(state, value);
  else lua.lua_pushnil(state);
}

function pushTable(state: State, value: object): void {
  lua.lua_createtable(state, 0, 0);
  for (const [key, item] of Object.entries(value)) {
    push(state, item);
    if (Array.isArray(value)) lua.lua_rawseti(state, -2, Number(key) + 1);
    else lua.lua_setfield(state, -2, text(key));
  }
}

/** What is on top of the stack; it is left there. A table is taken for an object, whatever its keys are. */
function taken(state: State): unknown {
  switch (lua.lua_type(state, -1)) {
    case lua.LUA_TTABLE:
      return takenTable(state);
    case lua.LUA_TSTRING:
      return lua.lua_tojsstring(state, -1);
    case lua.LUA_TNUMBER:
      return lua.lua_tonumber(state, -1);
    case lua.LUA_TBOOLEAN:
      return lua.lua_toboolean(state, -1);
    default:
      return undefined;
  }
}

function takenTable(state: State): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  lua.lua_pushnil(state);
  while (lua.lua_next(state, -2) !== 0) {
    const value = taken(state);
    lua.lua_pop(state, 1);
    fields[String(taken(state))] = value;
  }
  return fields;
}
