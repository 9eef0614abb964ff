/** Put into a page: `percents` gets every value that a progress bar is set to from then on, drawn or not. */
export const WRITE_DOWN_PERCENTS = `{
  window.percents = [];
  const set = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name, value) {
    set.call(this, name, value);
    if (name === "aria-valuenow") percents.push(Number(value));
  };
}
true`;
