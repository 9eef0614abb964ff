import type { Preferences } from "../state/preferences.js";
import { en, type Strings } from "./en.js";
import { zhCn } from "./zh-cn.js";

export type { Strings };

/** The tables, by language. */
export const STRINGS: Readonly<Record<Preferences["locale"], Strings>> = { en, "zh-CN": zhCn };
