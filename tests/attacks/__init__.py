"""What could harm a caller, tried: killed servers, outages; forged, doubled and odd requests; leaking logs."""
