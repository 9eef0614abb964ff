export const pascal = (name) =>
  name.replace(/(?:^|[_./$]+)([a-z])/g, (_, letter) => letter.toUpperCase());

export const camel = (name) => {
  const whole = pascal(name);
  return whole[0].toLowerCase() + whole.slice(1);
};

/** One JSDoc block, indented. */
export const jsdoc = (text, indent = "") =>
  `${indent}/** ${text.replaceAll("*/", "* /").replaceAll("\n", " ")} */\n`;
