/**
 * Draws a small, noisy picture large in one pass on the graphics card. Flat parts are smoothed by
 * cubic B-splines, edges are interpolated by Catmull-Rom splines and sharpened by an unsharp mask.
 * Both kernels are those of Mitchell and Netravali, "Reconstruction filters in computer graphics",
 * 1988, with (B, C) = (1, 0) and (0, ½).
 */

const VERTEX = `
attribute vec2 corner;
varying vec2 at;
void main() {
  at = corner * vec2(0.5, -0.5) + 0.5;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const FRAGMENT = `
precision highp float;
uniform sampler2D picture;
uniform vec2 size;
uniform float amount;
varying vec2 at;

vec4 crisp(float t) {
  vec4 powers = vec4(1.0, t, t * t, t * t * t);
  return 0.5 * vec4(
    dot(powers, vec4(0.0, -1.0, 2.0, -1.0)),
    dot(powers, vec4(2.0, 0.0, -5.0, 3.0)),
    dot(powers, vec4(0.0, 1.0, 4.0, -3.0)),
    dot(powers, vec4(0.0, 0.0, -1.0, 1.0)));
}

vec4 soft(float t) {
  vec4 powers = vec4(1.0, t, t * t, t * t * t);
  return vec4(
    dot(powers, vec4(1.0, -3.0, 3.0, -1.0)),
    dot(powers, vec4(4.0, 0.0, -6.0, 3.0)),
    dot(powers, vec4(1.0, 3.0, 3.0, -3.0)),
    dot(powers, vec4(0.0, 0.0, 0.0, 1.0))) / 6.0;
}

vec3 sum(vec2 whole, vec4 across, vec4 down) {
  vec3 total = vec3(0.0);
  for (int y = 0; y < 4; y++) {
    for (int x = 0; x < 4; x++) {
      vec2 tap = (whole + vec2(float(x) - 0.5, float(y) - 0.5)) / size;
      total += across[x] * down[y] * texture2D(picture, tap).rgb;
    }
  }
  return total;
}

vec3 softly(vec2 where) {
  vec2 pixel = where * size - 0.5;
  vec2 whole = floor(pixel);
  return sum(whole, soft(pixel.x - whole.x), soft(pixel.y - whole.y));
}

vec3 crisply(vec2 where) {
  vec2 pixel = where * size - 0.5;
  vec2 whole = floor(pixel);
  return sum(whole, crisp(pixel.x - whole.x), crisp(pixel.y - whole.y));
}

void main() {
  vec2 far = 1.5 / size;
  vec3 here = softly(at);
  vec3 around = 0.25 * (
    softly(at + vec2(far.x, 0.0)) + softly(at - vec2(far.x, 0.0)) +
    softly(at + vec2(0.0, far.y)) + softly(at - vec2(0.0, far.y)));
  vec3 detail = here - around;
  float edge = smoothstep(0.05, 0.2, length(detail));
  vec3 sharp = crisply(at) + amount * detail;
  gl_FragColor = vec4(clamp(mix(here, sharp, edge), 0.0, 1.0), 1.0);
}`;

const AMOUNT = 0.6;

/** Draw `picture` over the whole canvas, sharpened where there is WebGL, plainly where not. */
export type Paint = (picture: HTMLImageElement) => void;

/** How to paint on this canvas. */
export function painter(canvas: HTMLCanvasElement): Paint {
  const gl = canvas.getContext("webgl", { alpha: false, preserveDrawingBuffer: true });
  const program = gl && programOf(gl);
  return gl && program ? onCard(gl, program) : plain(canvas);
}

function onCard(gl: WebGLRenderingContext, program: WebGLProgram): Paint {
  gl.useProgram(program);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
  const corner = gl.getAttribLocation(program, "corner");
  gl.enableVertexAttribArray(corner);
  gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  for (const edge of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
    gl.texParameteri(gl.TEXTURE_2D, edge, gl.CLAMP_TO_EDGE);
  }
  for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
    gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
  }
  return (picture) => {
    const { naturalWidth, naturalHeight } = picture;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, picture);
    gl.uniform2f(gl.getUniformLocation(program, "size"), naturalWidth, naturalHeight);
    gl.uniform1f(gl.getUniformLocation(program, "amount"), AMOUNT);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  };
}

function plain(canvas: HTMLCanvasElement): Paint {
  const context = canvas.getContext("2d");
  return (picture) => {
    if (!context) return;
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  };
}

/** Undefined where the driver cannot compile it. */
function programOf(gl: WebGLRenderingContext): WebGLProgram | undefined {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind);
    if (!shader || !program) return undefined;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  if (!program) return undefined;
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : undefined;
}
