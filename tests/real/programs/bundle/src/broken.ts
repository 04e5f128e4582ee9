import { missing } from "./shapes";
import "./nowhere";
let x = ;
