// What is searched with: the shopper's photo with its crop box, or a product of the shop.

import { CropBox } from "./crop.js";
import { byId } from "./dom.js";
import { Refusal, photoAddress } from "./service.js";
import { nameOf } from "./words.js";

export class Subject {
  #preview = byId("preview");
  #stage = byId("stage");
  #crop;
  #shown = null; // the photo or product in the preview
  #url = null;

  constructor(cropped) {
    this.#crop = new CropBox(cropped);
    this.#preview.addEventListener("load", () => this.#fit());
  }

  photo(file, crop) {
    if (this.#shown !== file) this.#put(file, (this.#url = URL.createObjectURL(file)), "Your photo");
    document.body.classList.add("has-photo");
    this.#crop.show(crop);
  }

  /** Resolves to whether the browser can show the file; a photo it cannot show cannot be cropped either. */
  static async readable(file) {
    const url = URL.createObjectURL(file);
    const image = new Image();
    image.src = url;
    try {
      await image.decode();
      return true;
    } catch {
      return false;
    } finally {
      URL.revokeObjectURL(url);
    }
  }

  product(product) {
    document.body.classList.remove("has-photo");
    this.#crop.show(null);
    if (this.#shown === product.product_id) return;
    this.#put(product.product_id, "", nameOf(product));
    if (product.photo_url) this.#load(product);
  }

  async #load({ product_id, photo_url }) {
    try {
      const url = await photoAddress(photo_url);
      if (this.#shown === product_id) this.#preview.src = url;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error; // a photo that is refused leaves its place empty
    }
  }

  #put(shown, url, words) {
    if (this.#url && this.#url !== url) URL.revokeObjectURL(this.#url);
    this.#url = url || null;
    this.#shown = shown;
    this.#preview.alt = words;
    if (url) this.#preview.src = url;
    else this.#preview.removeAttribute("src");
  }

  #fit() {
    this.#stage.style.setProperty("--ratio", this.#preview.naturalWidth / this.#preview.naturalHeight);
  }
}
